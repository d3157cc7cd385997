import { defineCommand } from './define.ts';

const proxyMetrics = defineCommand({
  name: 'proxy:metrics',
  summary: 'Show what the edge counts, in the text format of Prometheus',
  description:
    'Requests by app, method and class of status, what is in flight, failures of instances, refused requests, connections, stalls of ' +
    'the event loop. The daemon serves the same at /metrics of the address in its setting `metrics`.',
  examples: ['proxy:metrics'],
  args: {},
  flags: {},
  access: 'admin',
  effect: 'read',
  run: async ({ edgeMetrics }) => ({ text: await edgeMetrics() }),
  text: ({ text }) => text.trimEnd().split('\n'),
});

export const proxyMetricsCommands = [proxyMetrics];

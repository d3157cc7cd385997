// What the edge counts, in the text format that Prometheus reads. Labels come from closed sets and from the apps that
// have a route: no visitor can add one.
import type { Counters } from './counters.ts';

export type MetricsSource = {
  readonly counters: Counters;
  /** Of clients, open now. */
  readonly connections: number;
  /** Milliseconds. */
  readonly loopLag: number;
  /** Of access logs, lost. */
  readonly droppedLines: number;
  readonly generation: number;
};

type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };

export function renderMetrics(source: MetricsSource): string {
  const apps = [...source.counters.apps];
  const each = (value: (count: (typeof apps)[number][1]) => number): Sample[] =>
    apps.map(([app, count]) => ({ labels: { app }, value: value(count) }));
  return [
    family('requests_total', 'Requests that were answered, by method and class of status.', 'counter', [
      ...apps.flatMap(([app, { answered }]) =>
        answered.list().map(({ method, code, count }) => ({ labels: { app, code, method }, value: count })),
      ),
    ]),
    family(
      'in_flight',
      'Requests in flight, websockets and waiting ones included.',
      'gauge',
      each(({ usage }) => usage.inFlight),
    ),
    family(
      'waiting',
      'Requests that wait for an instance to wake.',
      'gauge',
      each(({ usage }) => usage.waiting),
    ),
    family(
      'ws_open',
      'Open websockets.',
      'gauge',
      each(({ tunnels }) => tunnels),
    ),
    family(
      'tcp_open',
      'Open TCP connections, waiting ones included.',
      'gauge',
      each(({ streams }) => streams),
    ),
    family(
      'tcp_connections_total',
      'TCP connections that began.',
      'counter',
      each(({ streamsBegun }) => streamsBegun),
    ),
    family(
      'retries_total',
      'Second tries on another connection.',
      'counter',
      each(({ retries }) => retries),
    ),
    family(
      'aborted_total',
      'Clients that left before their answer was complete.',
      'counter',
      each(({ aborted }) => aborted),
    ),
    family('upstream_errors_total', 'Connections to instances that failed, by kind.', 'counter', [
      ...apps.flatMap(([app, { failures }]) =>
        Object.entries(failures).flatMap(([kind, value]) =>
          value === 0 ? [] : [{ labels: { app, kind }, value }],
        ),
      ),
    ]),
    family('refused_total', 'Requests and connections that reached no app, by reason.', 'counter', [
      ...[...source.counters.refused].map(([reason, value]) => ({ labels: { reason }, value })),
    ]),
    family('connections', 'Open connections of clients.', 'gauge', [{ value: source.connections }]),
    family('event_loop_lag_seconds', 'Longest stall of the event loop in the last minute.', 'gauge', [
      { value: source.loopLag / 1000 },
    ]),
    family('access_lines_dropped_total', 'Lines of access logs that the disk was too slow for.', 'counter', [
      { value: source.droppedLines },
    ]),
    family('snapshot_generation', 'Generation of the routes in use.', 'gauge', [
      { value: source.generation },
    ]),
    family('resident_memory_bytes', 'Memory of the edge process.', 'gauge', [
      { value: process.memoryUsage.rss() },
    ]),
  ].join('');
}

function family(name: string, help: string, type: 'counter' | 'gauge', samples: readonly Sample[]): string {
  const full = `wherry_edge_${name}`;
  const lines = samples.map(({ labels, value }) => `${full}${labelled(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function labelled(labels: Sample['labels']): string {
  if (!labels) return '';
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`);
  return `{${pairs.join(',')}}`;
}

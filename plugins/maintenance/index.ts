import { app, type CommandTools, defineCommand, definePlugin } from '../../src/plugin/api.ts';

const enable = defineCommand({
  name: 'maintenance:enable',
  summary: 'Answer all requests for an app with a page that says it is down for maintenance',
  description:
    'Its processes go on running; what is in flight is answered. It is not woken meanwhile. The page is yours with error-pages:set <app> maintenance.',
  examples: ['maintenance:enable blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  run: (tools, input) => turn(tools, input.app, true),
  text: () => [],
});

const disable = defineCommand({
  name: 'maintenance:disable',
  summary: 'Let requests through to an app again',
  examples: ['maintenance:disable blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  run: (tools, input) => turn(tools, input.app, false),
  text: () => [],
});

async function turn(tools: CommandTools, name: string, maintenance: boolean) {
  const words = maintenance ? 'Setting maintenance to true' : 'Unsetting maintenance';
  tools.progress.header(words);
  await tools.setEdgeRules(name, { maintenance });
  tools.note(name, words);
  return { app: name, maintenance: maintenance ? 'true' : null };
}

export default definePlugin({
  name: 'maintenance',
  summary: 'Answers for apps that are down for maintenance',
  commands: [enable, disable],
  report: (tools, name) => ({ enabled: String(tools.edgeRules(name).maintenance) }),
});

import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { optional, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { shownLogs } from './shown-logs.ts';

/** Lines of each app that are shown. */
const most = 1000;

export const logsFailed = defineCommand({
  name: 'logs:failed',
  summary: 'Show the output of the instances of an app’s last failed deploy',
  description: 'What they printed before they were given up. What a build printed is shown by builds:output.',
  examples: ['logs:failed blog', 'logs:failed --all'],
  args: { app: optional(app) },
  flags: { all: toggle({ help: 'of every app' }) },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  exact: true,
  run(context, input) {
    if (input.all === (input.app !== undefined))
      throw new WherryError('usage', 'Name one app, or say --all.');
    const apps = input.app === undefined ? context.apps() : [context.app(input.app)];
    return failed(context, apps);
  },
  text: line => [
    { text: `${line.at.toISOString()} ${line.app}[${line.dyno}]: ${line.text}`, quiet: line.text },
  ],
});

async function* failed(context: Context, apps: readonly App[]) {
  const { store, signal, progress } = context;
  for (const each of apps) {
    const [release] = store.releases.list(each).filter(({ status }) => status === 'failed');
    if (!release) {
      progress.step(`No deploy of ${each.name} has failed`);
      continue;
    }
    const query = { lines: most, version: release.version, follow: false, signal };
    for await (const line of shownLogs(context, each, query)) yield { app: each.name, ...line };
  }
}

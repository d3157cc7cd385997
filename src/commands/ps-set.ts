import { parseRepositoryPath } from '../build/build-dir.ts';
import type { App } from '../domain/app.ts';
import { parseAtOnce } from '../domain/parallel.ts';
import {
  parseRestartPolicy,
  parseStopTimeout,
  psKey,
  usualRestartPolicy,
  usualStopTimeout,
} from '../domain/upkeep.ts';
import type { Store } from '../store/store.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import type { ReportValues } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

/** How each is checked, and what it is when it was never set. */
const properties = {
  'max-parallel': { check: (text: string) => parseAtOnce('max-parallel', text), usual: '-1' },
  'procfile-path': { check: parseRepositoryPath, usual: 'Procfile' },
  'restart-policy': { check: parseRestartPolicy, usual: usualRestartPolicy },
  'stop-timeout-seconds': { check: parseStopTimeout, usual: String(usualStopTimeout) },
} as const;
type Property = keyof typeof properties;

const names = Object.keys(properties) as Property[];

export const psSet = defineCommand({
  name: 'ps:set',
  summary: 'Set or, without a value, unset how the processes of an app are kept',
  description:
    'restart-policy: what becomes of a process that ends: always (unless set; unless-stopped is the same), on-failure, on-failure:N for at most N times in a row, or no; dokku’s own default gives up after ten. stop-timeout-seconds: how long it has to end by itself (30). Both hold at once. procfile-path: the file in the repository that is the Procfile, from the next build on. max-parallel: how many instances of a process type a deploy starts at once, the next ones when those are ready; formation.TYPE.max_parallel of app.json says it for one type; -1, or none said, is all.',
  examples: [
    'ps:set blog restart-policy on-failure:10',
    'ps:set blog stop-timeout-seconds 60',
    'ps:set blog procfile-path deploy/Procfile',
    'ps:set blog max-parallel 1',
    'ps:set --global restart-policy',
  ],
  args: { app: appOrGlobal, property: choice('property', names), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value || undefined;
    if (value !== undefined) properties[property].check(value);
    return setProperty(context, { app, property, key: psKey(property), value, event: 'ps' });
  },
  text: () => [],
});

/** Of the report: as set for the app, for all, and as it works out. */
export function psSettings(store: Store['properties'], app: App): ReportValues {
  return Object.fromEntries(
    names.flatMap(name => {
      const [key, usual] = [psKey(name), properties[name].usual];
      return [
        [key, store.get(`app:${app.id}`, key) ?? ''],
        [`ps-global-${name}`, store.get('global', key) ?? ''],
        [`ps-computed-${name}`, store.resolve(app.id, key) ?? usual],
      ];
    }),
  );
}

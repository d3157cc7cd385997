import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { type SleepSetting, sleepKey, sleepSettingNames, sleepSettings } from '../domain/sleeping.ts';
import { choice, flag, many, text, withDefault } from './args.ts';
import { defineCommand } from './define.ts';
import { app, appOrGlobal } from './kinds.ts';
import { header } from './lines.ts';
import { defineReport } from './report.ts';
import { readSettingWords, setProperties } from './setting-words.ts';

const set = defineCommand({
  name: 'sleep:set',
  summary: 'Set how an app sleeps: what does not wake it, what visitors get meanwhile, who sleeps with it',
  description: [
    'For one app or, with --global, for all that have nothing of their own. A setting without value is unset. When an app sleeps is set by autoscale:set.',
    ...sleepSettingNames.map(name => `${name}: ${sleepSettings[name].help}${usually(name)}.`),
  ].join(' '),
  examples: [
    'sleep:set blog ignore-paths=/health,/metrics* ignore-agents=UptimeRobot',
    'sleep:set blog follow-web=worker',
    'sleep:set blog waiting-page=true',
    'sleep:set --global ignore-agents=',
  ],
  args: { app: appOrGlobal, settings: many(text('setting=value')) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const given = readSettingWords(input.settings, sleepSettingNames, name => sleepSettings[name].parse);
    setProperties(context, { owner, given, keyOf: sleepKey, event: 'sleep' });
    await context.deployer.applyRoutes();
    return { app: owner?.name ?? null, ...Object.fromEntries(given) };
  },
  text: () => [],
});

const now = defineCommand({
  name: 'sleep:now',
  summary: 'Put an app to sleep until the next request',
  description:
    'It stays awake while a request is in flight. --depth light freezes it in memory and wakes in milliseconds; deep stops it and prepares its next start.',
  examples: ['sleep:now blog', 'sleep:now blog --depth light'],
  args: { app },
  flags: {
    depth: flag(withDefault(choice('depth', ['deep', 'light']), 'deep'), {
      help: 'light or deep (deep unless set)',
    }),
  },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    if (context.runtime.asleep(owner) === input.depth) return { app: owner.name, asleep: input.depth };
    const done = await context.deployer.sleep(owner, input.depth, {
      why: 'It was told to.',
      actor: context.actor,
    });
    if (!done) throw stays(owner.name);
    return { app: owner.name, asleep: input.depth };
  },
  text: result => [header(`${result.app} sleeps until it is asked for`)],
});

const wake = defineCommand({
  name: 'sleep:wake',
  summary: 'Wake an app without a request',
  examples: ['sleep:wake blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const ms = await context.deployer.wake(context.app(input.app), context.actor);
    return { app: input.app, woken: ms !== undefined, ms: ms ?? 0 };
  },
  text: ({ app: name, woken, ms }) => [
    header(woken ? `${name} is awake, after ${ms} ms` : `${name} does not sleep`),
  ],
});

const report = defineReport({
  name: 'sleep:report',
  summary: 'Show whether one app or all sleep, and how that is set',
  description:
    'Reclaimed is the memory that the kernel gave back while the app was frozen, since the daemon started: what it had read from files, and, with swap, what it had not touched for long.',
  examples: ['sleep:report blog', 'sleep:report blog --sleep-asleep'],
  title: 'sleep',
  prefix: 'sleep-',
  values({ store, runtime }, each) {
    const { bytes, failures } = runtime.reclaimed(each);
    return {
      asleep: runtime.asleep(each) ?? 'no',
      reclaimed: formatBytes(bytes),
      'reclaim-failures': String(failures),
      ...Object.fromEntries(
        sleepSettingNames.flatMap(name => [
          [name, store.properties.get(`app:${each.id}`, sleepKey(name)) ?? ''],
          [`global-${name}`, store.properties.get('global', sleepKey(name)) ?? ''],
          [
            `computed-${name}`,
            store.properties.resolve(each.id, sleepKey(name)) ?? sleepSettings[name].usual,
          ],
        ]),
      ),
    };
  },
});

export const sleepCommands = [set, report, now, wake];

function usually(name: SleepSetting): string {
  const { usual } = sleepSettings[name];
  return usual === '' ? '' : ` (${usual} unless set)`;
}

function stays(name: string): WherryError {
  return new WherryError(
    'conflict',
    `App ${name} stays awake: a request is in flight, an instance does not run, or it has none. See ps:report ${name}, and try again.`,
  );
}

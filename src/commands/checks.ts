import { checkLists, setCheckLists } from '../deploy/check-lists.ts';
import type { App } from '../domain/app.ts';
import {
  allTypes,
  type CheckProperty,
  checkKey,
  checkProperties,
  parseCheckSetting,
} from '../domain/check-settings.ts';
import { WherryError } from '../domain/errors.ts';
import { parseProcessType } from '../domain/names.ts';
import { type ArgKind, asList, asText, choice, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { type Command, defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, appOrGlobal } from './kinds.ts';
import { detail, header } from './lines.ts';
import { defineReport, type ReportValues } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const names = Object.keys(checkProperties) as CheckProperty[];

const set = defineCommand({
  name: 'checks:set',
  summary: 'Set or, without a value, unset how the health checks of an app are run',
  description:
    'attempts (3), wait (5) and timeout (5): what holds for checks of app.json that do not say so themselves, in seconds but for attempts. default-wait (1): how long a process must run that neither listens nor has checks; dokku has 10. wait-to-retire (30): how long requests in flight may keep what was replaced. All hold at once.',
  examples: ['checks:set blog wait-to-retire 60', 'checks:set blog attempts 10', 'checks:set --global wait'],
  args: { app: appOrGlobal, property: choice('property', names), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value || undefined;
    if (value !== undefined) parseCheckSetting(property, value);
    return setProperty(context, { app, property, key: checkKey(property), value, event: 'checks' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'checks:report',
  summary: 'Show how the health checks of one app or all are run, as set and as it works out',
  examples: ['checks:report blog', 'checks:report blog --checks-computed-attempts'],
  title: 'checks',
  prefix: 'checks-',
  values(context, each) {
    const { skipped, disabled } = checkLists(context.store, each);
    return {
      'disabled-list': shownList(disabled),
      'skipped-list': shownList(skipped),
      ...settings(context, each),
    };
  },
  global: context => settings(context),
});

/** Process types in one word or several: `web,worker`. */
const types: ArgKind<readonly string[]> = {
  word: 'process,...',
  required: true,
  rest: true,
  schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
  parse(value) {
    const words = asList(value).flatMap(word => asText(word, 'process').split(','));
    return [...new Set(words.map(word => (word === allTypes ? word : parseProcessType(word))))];
  },
};

const listWords = {
  skip: {
    summary: 'Deploy an app, or some of its processes, without waiting for their checks',
    description:
      'The new begins beside the old and gets requests at once, ready or not. What runs is still watched by its readiness and liveness checks. checks:enable ends it.',
  },
  disable: {
    summary:
      'Turn off the checks of an app, or of some of its processes, and stop the old before the new begins',
    description:
      'For apps of which two must not run at once: nobody answers while they are deployed. Their readiness and liveness checks rest too. When the new cannot be made, the old is brought back. checks:enable ends it.',
  },
  enable: {
    summary: 'Wait for the checks of an app, or of some of its processes, again',
    description: 'Undoes checks:skip and checks:disable. It holds from the next deploy or restart on.',
  },
} as const;

const [skip, disable, enable] = (['skip', 'disable', 'enable'] as const).map(verb =>
  defineCommand({
    name: `checks:${verb}`,
    ...listWords[verb],
    examples: [`checks:${verb} blog`, `checks:${verb} blog web,worker`],
    args: { app, types: optional(types) },
    access: { app: 'write' },
    effect: 'write',
    run(context, input) {
      const owner = context.app(input.app);
      const given = input.types ?? [allTypes];
      const known = [...context.deployer.counts(owner).keys()];
      const before = checkLists(context.store, owner);
      const lists = {
        skipped: changed(before.skipped, given, verb === 'skip', known),
        disabled: changed(before.disabled, given, verb === 'disable', known),
      };
      setCheckLists(context.store, owner, lists);
      const what = given.includes(allTypes) ? 'all processes' : given.join(', ');
      const words = `${{ skip: 'Skipping', disable: 'Disabling', enable: 'Enabling' }[verb]} checks of ${what}`;
      context.progress.step(words);
      tell(context, owner, 'checks', words);
      return { app: owner.name, ...lists };
    },
    text: () => [],
  }),
) as [Command, Command, Command];

const run = defineCommand({
  name: 'checks:run',
  summary: 'Try each health check of what runs of an app once, and say which fail',
  description:
    'All kinds of checks, each once, without waiting or counting. What sleeps is not asked, and sleeps on. Exits with 1 when a check fails.',
  examples: ['checks:run blog', 'checks:run blog web', 'checks:run blog --format json'],
  args: { app, types: optional(types) },
  access: { app: 'read' },
  effect: 'read',
  acts: true,
  async run(context, input) {
    const owner = context.app(input.app);
    const desired = context.deployer.desired(owner);
    if (!desired) throw new WherryError('failed', `App ${owner.name} has not been deployed`);
    const known = [...desired.counts.keys()];
    const unknown = input.types?.find(type => type !== allTypes && !known.some(each => each === type));
    if (unknown !== undefined)
      throw new WherryError('invalid', `${unknown} is not a process type of ${owner.name}`, {
        hint: `Process types of ${owner.name}: ${known.join(', ')}`,
      });
    const wanted = !input.types || input.types.includes(allTypes) ? known : input.types;
    const signal = context.signal ?? new AbortController().signal;
    return { app: owner.name, checks: await context.runtime.check(desired, wanted, signal) };
  },
  text: ({ app: name, checks }) => [
    header(`Checks of ${name}`),
    ...(checks.length === 0 ? [detail('no running process has checks')] : []),
    ...checks.map(({ dyno, type, name: check, outcome, why }) =>
      detail(`${dyno} ${type} "${check}" ${outcome}${why === undefined ? '' : `: ${why}`}`),
    ),
  ],
  exit: ({ checks }) => (checks.some(({ outcome }) => outcome === 'failed') ? 1 : 0),
});

export const checksCommands = [set, report, skip, disable, enable, run];

/** A list with the types or without them; all but some are named one by one. */
function changed(
  list: readonly string[],
  given: readonly string[],
  into: boolean,
  known: readonly string[],
): readonly string[] {
  if (given.includes(allTypes)) return into ? [allTypes] : [];
  if (into) return list.includes(allTypes) ? list : [...new Set([...list, ...given])].sort();
  return (list.includes(allTypes) ? known : list).filter(type => !given.includes(type));
}

function shownList(list: readonly string[]): string {
  return list.length === 0 ? 'none' : list.join(',');
}

function settings({ store }: Context, app?: App): ReportValues {
  const { properties } = store;
  return Object.fromEntries(
    names.flatMap(name => {
      const key = checkKey(name);
      const all = properties.get('global', key);
      const own = app && properties.get(`app:${app.id}`, key);
      return [
        ...(app ? [[name, own ?? '']] : []),
        [`global-${name}`, all ?? ''],
        [`computed-${name}`, own ?? all ?? String(checkProperties[name].usual)],
      ];
    }),
  );
}

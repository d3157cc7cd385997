import { WherryError } from '../domain/errors.ts';
import { parseAtOnce, typesAtOnceKey } from '../domain/parallel.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone, settingWords } from './set-property.ts';

/** What scripts written for dokku ask for: instances on this one host. */
const here = 'docker-local';

const shells = { 'computed-shell': '', 'global-shell': '', shell: '' };

const set = settings({
  name: 'scheduler:set',
  summary: 'Set which scheduler runs an app; there is one, by the name of docker-local',
  description:
    'Takes what scripts for dokku say on a single host: selected docker-local, or no value. Other schedulers, as k3s, are refused.',
  examples: ['scheduler:set blog selected docker-local', 'scheduler:set --global selected'],
  properties: {
    selected: {
      takes: here,
      refusal: `All apps run on this host by ${here}. There is no other scheduler.`,
    },
    shell: { refusal: 'There is no shell to set. Name one: run APP bash, enter APP web.1 bash' },
  },
});

const report = defineReport({
  name: 'scheduler:report',
  summary: 'Show which scheduler runs one app or all: this host’s own',
  examples: ['scheduler:report blog', 'scheduler:report blog --scheduler-computed-selected'],
  title: 'scheduler',
  prefix: 'scheduler-',
  values: () => ({ 'computed-selected': here, 'global-selected': here, selected: '', ...shells }),
  global: () => ({ 'global-selected': here, 'global-shell': '' }),
});

const setLocal = settings({
  name: 'scheduler-docker-local:set',
  aliases: ['docker-local:set'],
  summary: 'Set or, without a value, unset how this host starts instances',
  description:
    'An init process is in every instance. parallel-schedule-count: how many process types a deploy starts at once, web first, the next ones when those are ready; -1, or none said, is all. ps:set max-parallel says how many instances of a type. All are ready before any serves.',
  examples: [
    'scheduler-docker-local:set blog init-process true',
    'scheduler-docker-local:set blog parallel-schedule-count 1',
  ],
  properties: {
    'init-process': {
      takes: 'true',
      refusal: 'Every instance has an init process, which reaps what its own leave. It cannot be left out.',
    },
    [typesAtOnceKey]: { check: text => parseAtOnce(typesAtOnceKey, text) },
  },
});

const reportLocal = defineReport({
  name: 'scheduler-docker-local:report',
  aliases: ['docker-local:report'],
  summary: 'Show how this host starts instances of one app or all',
  examples: [
    'scheduler-docker-local:report blog',
    'scheduler-docker-local:report blog --scheduler-docker-local-init-process',
  ],
  title: 'scheduler-docker-local',
  prefix: 'scheduler-docker-local-',
  values: ({ store: { properties } }, app) => ({
    'init-process': 'true',
    [typesAtOnceKey]: properties.get(`app:${app.id}`, typesAtOnceKey) ?? '',
    [`global-${typesAtOnceKey}`]: properties.get('global', typesAtOnceKey) ?? '',
    [`computed-${typesAtOnceKey}`]: properties.resolve(app.id, typesAtOnceKey) ?? '-1',
  }),
});

export const schedulerCommands = [set, report, setLocal, reportLocal];

type Accepted = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly properties: Readonly<Record<string, Fixed | Kept>>;
};

/** The one value that it takes, as things are here anyway; none, where no value fits. */
type Fixed = { readonly takes?: string; readonly refusal: string };

/** Stored under its name. */
type Kept = { readonly check: (value: string) => unknown };

/** Sets what can be set; takes what is so here in any case, so that scripts go on, and refuses what cannot be had. */
function settings({ properties, ...words }: Accepted) {
  return defineCommand({
    ...words,
    args: {
      app: appOrGlobal,
      property: choice('property', Object.keys(properties)),
      value: optional(text('value')),
    },
    access: { app: 'write' },
    effect: 'write',
    result: settingDone,
    run(context, input) {
      const { app, property } = input;
      const value = input.value || undefined;
      const owner = app === undefined ? undefined : context.app(app);
      const known = properties[property] ?? { refusal: 'No value fits.' };
      if ('check' in known) {
        if (value !== undefined) known.check(value);
        return setProperty(context, { app, property, key: property, value, event: 'ps' });
      }
      if (value !== undefined && value !== known.takes) throw new WherryError('invalid', known.refusal);
      context.progress.header(settingWords(property, value));
      return { app: owner?.name ?? null, [property]: value ?? null };
    },
    text: () => [],
  });
}

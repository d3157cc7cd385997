import { WherryError } from '../domain/errors.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { settingWords } from './set-property.ts';

/** What scripts written for dokku ask for: instances on this one host. */
const here = 'docker-local';

const shells = { 'computed-shell': '', 'global-shell': '', shell: '' };

const set = acceptedProperty({
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

const setLocal = acceptedProperty({
  name: 'scheduler-docker-local:set',
  aliases: ['docker-local:set'],
  summary: 'Set how this host starts instances; nothing of it can be changed',
  description:
    'An init process is in every instance. Instances of a deploy start a few at a time, and all are ready before any serves.',
  examples: ['scheduler-docker-local:set blog init-process true'],
  properties: {
    'init-process': {
      takes: 'true',
      refusal: 'Every instance has an init process, which reaps what its own leave. It cannot be left out.',
    },
    'parallel-schedule-count': {
      refusal:
        'Instances of a deploy start a few at a time by themselves. Leave parallel-schedule-count out.',
    },
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
  values: () => ({ 'init-process': 'true', 'parallel-schedule-count': '' }),
});

export const schedulerCommands = [set, report, setLocal, reportLocal];

type Accepted = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  /** The one value that each takes, as things are here anyway; none, where no value fits. */
  readonly properties: Readonly<Record<string, { readonly takes?: string; readonly refusal: string }>>;
};

/** Takes what is so here in any case, so that scripts go on, and refuses what cannot be had. */
function acceptedProperty({ properties, ...words }: Accepted) {
  return defineCommand({
    ...words,
    args: {
      app: appOrGlobal,
      property: choice('property', Object.keys(properties)),
      value: optional(text('value')),
    },
    access: { app: 'write' },
    effect: 'write',
    run(context, input) {
      const { property, value } = input;
      const owner = input.app === undefined ? undefined : context.app(input.app);
      const known = properties[property];
      if (value && value !== known?.takes)
        throw new WherryError('invalid', known?.refusal ?? 'No value fits.');
      context.progress.header(settingWords(property, value));
      return { app: owner?.name ?? null, [property]: value ?? null };
    },
    text: () => [],
  });
}

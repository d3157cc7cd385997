import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import { splitWords } from './words.ts';

/** When an option counts, by dokku's names: while building, for processes of a deploy, for one-off runs. */
export const phases = ['build', 'deploy', 'run'] as const;
export type Phase = (typeof phases)[number];

/** What the options of the build phase ask for. */
export type BuildOptions = {
  /** Values of ARG; undefined takes the app's config value of that name. */
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The stage that is the image; the last one when left out. */
  readonly target?: string;
  readonly noCache: boolean;
  /** Ask registries again for what FROM names. */
  readonly pull: boolean;
};

/** What is refused, and what does it here. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/^(-v|--volume|--mount|--tmpfs|--volumes-from)$/, 'use storage:mount'],
  [/^(-p|-P|--publish|--publish-all|--expose)$/, 'use ports:add'],
  [/^(-m|--memory(-.*)?|-c|--cpus?|--cpu-.*|--cpuset-.*)$/, 'use resource:limit'],
  [/^--(pids-limit|ulimit|shm-size|oom-.*|kernel-memory|blkio-.*)$/, 'use quota:set'],
  [/^--restart$/, 'use ps:set'],
  [/^(-e|--env|--env-file)$/, 'use config:set'],
  [/^(-f|--file)$/, 'use builder-dockerfile:set'],
  [/^--(secret|ssh)$/, 'pass a value with --build-arg'],
  [/^(--health-.*|--no-healthcheck)$/, "use the Dockerfile's HEALTHCHECK or an app.json"],
  [/^(-u|--user|-w|--workdir|--entrypoint|--stop-signal)$/, 'say it in the Dockerfile'],
  [/^(-t|--tag|-q|--quiet|-o|--output|--load|--push|--progress|--rm|--name)$/, 'leave it out'],
];
const unsafe =
  /^--(network|net|security-opt|security|cap-add|cap-drop|privileged|device.*|pid|ipc|uts|userns|cgroup.*|gpus|isolation|runtime|add-host|dns.*|allow|build-context|cache-(from|to)|link|sysctl|group-add)$/;

/** @throws invalid for an option of docker that is unsafe or means nothing here, naming what does it */
export function checkDockerOption(text: string, phase: Phase): void {
  const { name, words } = readOption(text);
  const [first = ''] = words;
  if (unsafe.test(name))
    throw refused(text, 'reaches out of the container it is for, which nothing here may');
  const remedy = instead.find(([form]) => form.test(name))?.[1];
  if (remedy !== undefined) throw refused(text, `means nothing here: ${remedy}`);
  if (!(name in builders) || !first.startsWith('--'))
    throw refused(text, `is not known here. Known for the build are: ${Object.keys(builders).join(', ')}`);
  if (phase !== 'build') throw refused(text, `counts while building. Give it for the phase build`);
  readBuildOptions([text]);
}

/** @throws invalid for an option that would not have been stored */
export function readBuildOptions(texts: readonly string[]): BuildOptions {
  let options: BuildOptions = { args: {}, labels: {}, noCache: false, pull: false };
  for (const text of texts) {
    const { name, value } = readOption(text);
    const add = builders[name];
    if (!add) throw refused(text, 'is not known here');
    options = add(options, value, text);
  }
  return options;
}

/** Values that are secrets by the names of their arguments. */
export function secretsOf({ args }: BuildOptions): Readonly<Record<string, string>> {
  const secret = /TOKEN|SECRET|PASS|PWD|KEY|CREDENTIAL|AUTH|_URL$|_DSN$/i;
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) =>
      value !== undefined && secret.test(name) ? [[`--build-arg ${name}`, value]] : [],
    ),
  );
}

type Add = (options: BuildOptions, value: string | undefined, text: string) => BuildOptions;

const builders: Readonly<Record<string, Add>> = {
  '--build-arg': (options, given, text) => {
    const { name, value } = readPair(given, text, /^[A-Za-z_][A-Za-z0-9_]{0,99}$/);
    return { ...options, args: { ...options.args, [name]: value } };
  },
  '--label': (options, given, text) => {
    const { name, value = '' } = readPair(given, text, /^[A-Za-z0-9][\w./-]{0,199}$/);
    return { ...options, labels: { ...options.labels, [name]: value } };
  },
  '--target': (options, given, text) => {
    if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(given ?? ''))
      throw refused(text, 'names no stage. Give one, as "--target web"');
    return { ...options, target: given ?? '' };
  },
  '--no-cache': (options, given, text) => ({ ...options, noCache: readSwitch(given, text) }),
  '--pull': (options, given, text) => ({ ...options, pull: readSwitch(given, text) }),
};

function readOption(text: string): { name: string; value: string | undefined; words: readonly string[] } {
  if (text.length > 32_768 || /[\0\n\r]/.test(text))
    throw refused(text, 'is longer than 32 KiB or has line breaks');
  const words = wordsOf(text);
  const [first = '', ...rest] = words;
  const at = first.indexOf('=');
  const name = at < 0 ? first : first.slice(0, at);
  const inline = at < 0 ? [] : [first.slice(at + 1)];
  const values = [...inline, ...rest];
  if (values.length > 1)
    throw refused(text, 'is more than one option. Give each by itself, values with blanks in quotes');
  return { name, value: values[0], words };
}

function wordsOf(text: string): readonly string[] {
  try {
    return splitWords(text);
  } catch (cause) {
    throw refused(text, 'has a quote that is open', cause);
  }
}

function readPair(given: string | undefined, text: string, form: RegExp) {
  const at = (given ?? '').indexOf('=');
  const name = at < 0 ? (given ?? '') : (given ?? '').slice(0, at);
  if (!form.test(name)) throw refused(text, 'has no name that fits. Give NAME=VALUE');
  return { name, value: at < 0 ? undefined : (given ?? '').slice(at + 1) };
}

function readSwitch(given: string | undefined, text: string): boolean {
  if (given === undefined || given === 'true' || given === 'false') return given !== 'false';
  throw refused(text, 'is either there or not');
}

/** Shows the option's name alone: its value may be a secret. */
function refused(text: string, why: string, cause?: unknown): WherryError {
  const name = /^[^\s=]*/.exec(text)?.[0] ?? '';
  return new WherryError('invalid', `Docker option ${quoteForPeople(name)} ${why}.`, { cause });
}

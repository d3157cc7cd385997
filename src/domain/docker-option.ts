import { readOption, readPair, readSwitch, refusedOption } from './docker-option-text.ts';
import {
  addRunOption,
  isRunOption,
  noRunOptions,
  type RunOptions,
  runOptionNames,
} from './docker-run-option.ts';

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

/** The property that an app's options of a phase are stored under, as a list. */
export const dockerOptionsKey = (phase: Phase): string => `docker-options-${phase}`;

/** Whose options an instance of a process type gets. */
export function phaseOf(type: string): Phase {
  return type === 'run' || type === 'cron' ? 'run' : 'deploy';
}

/** What is refused, and what does it here. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/^(-v|--volume|--mount|--tmpfs|--volumes-from)$/, 'use storage:mount'],
  [/^(-p|-P|--publish|--publish-all|--expose)$/, 'use ports:add'],
  [/^(-m|--memory(-.*)?|-c|--cpus?|--cpu-.*|--cpuset-.*)$/, 'use resource:limit'],
  [/^--(pids-limit|ulimit|shm-size|oom-.*|kernel-memory|blkio-.*)$/, 'use quota:set'],
  [/^--(restart|stop-timeout)$/, 'use ps:set'],
  [/^(-e|--env|--env-file)$/, 'use config:set'],
  [/^(-f|--file)$/, 'use builder-dockerfile:set'],
  [/^--(secret|ssh)$/, 'pass a value with --build-arg'],
  [/^(--health-.*|--no-healthcheck)$/, "use the Dockerfile's HEALTHCHECK or an app.json"],
  [/^--(log-driver|log-opt)$/, 'use logs:set'],
  [/^(--link|--network-alias|--net-alias)$/, 'use network:attach'],
  [/^(-u|--user|-w|--workdir|--entrypoint|--stop-signal)$/, 'say it in the Dockerfile'],
  [
    /^(-t|--tag|-q|--quiet|-o|--output|--load|--push|--progress|--rm|--name|-d|--detach|-i|--interactive|--tty)$/,
    'leave it out',
  ],
];
const unsafe =
  /^--(network|net|security-opt|security|cap-add|cap-drop|privileged|device.*|pid|ipc|uts|userns|cgroup.*|gpus|isolation|runtime|add-host|dns.*|allow|build-context|cache-(from|to)|sysctl|group-add)$/;

/** @throws invalid for an option of docker that is unsafe or means nothing in that phase, naming what does it */
export function checkDockerOption(text: string, phase: Phase): void {
  const option = readOption(text);
  const runs = isRunOption(option);
  if (phase !== 'build' && runs) return void addRunOption(noRunOptions, option, text);
  const { name, words } = option;
  if (unsafe.test(name))
    throw refusedOption(text, 'reaches out of the container it is for, which nothing here may');
  const builds = Object.hasOwn(builders, name) && (words[0] ?? '').startsWith('--');
  if (phase !== 'build' && builds)
    throw refusedOption(text, 'counts while building. Give it for the phase build');
  const remedy = instead.find(([form]) => form.test(name))?.[1];
  const later = runs ? ', or give it for the phases deploy and run' : '';
  if (remedy !== undefined) throw refusedOption(text, `means nothing here: ${remedy}${later}`);
  if (!builds) {
    const known = phase === 'build' ? Object.keys(builders) : runOptionNames;
    const when = phase === 'build' ? 'the build' : 'deploy and run';
    throw refusedOption(text, `is not known here. Known for ${when} are: ${known.join(', ')}`);
  }
  readBuildOptions([text]);
}

/** What the options of deploy or run ask for together. @throws invalid for one that would not have been stored */
export function readRunOptions(texts: readonly string[]): RunOptions {
  return texts.reduce((options, text) => addRunOption(options, readOption(text), text), noRunOptions);
}

/** @throws invalid for an option that would not have been stored */
export function readBuildOptions(texts: readonly string[]): BuildOptions {
  let options: BuildOptions = { args: {}, labels: {}, noCache: false, pull: false };
  for (const text of texts) {
    const { name, value } = readOption(text);
    const add = Object.hasOwn(builders, name) ? builders[name] : undefined;
    if (!add) throw refusedOption(text, 'is not known here');
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
      throw refusedOption(text, 'names no stage. Give one, as "--target web"');
    return { ...options, target: given ?? '' };
  },
  '--no-cache': (options, given, text) => ({ ...options, noCache: readSwitch(given, text) }),
  '--pull': (options, given, text) => ({ ...options, pull: readSwitch(given, text) }),
};

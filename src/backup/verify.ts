import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WherryError } from '../domain/errors.ts';
import type { Progress } from '../domain/push.ts';
import type { Store } from '../store/store.ts';
import { exec, spawn } from '../system/exec.ts';
import { hardenedGitEnv } from '../system/git-env.ts';
import { createPaths, type Paths } from '../system/paths.ts';
import { ask } from './ask.ts';
import { type AppRecord, type Manifest, recordApps } from './manifest.ts';
import { readRefs } from './refs.ts';
import type { Restic } from './restic.ts';
import { type RestoreOptions, restore } from './restore.ts';

/** What a drill says of an app, or why there is none. */
export type DrillLine =
  | {
      readonly app: string /** Of its answer; null without. */;
      readonly status: number | null;
      readonly why?: string;
    }
  | { readonly fault: string };

export type VerifyOptions = {
  readonly paths: Paths;
  readonly store: Store;
  /** The command that starts `wherry drill` on a data directory, which is away from every network. */
  readonly drillArgv: (dir: { data: string; cache: string }) => readonly string[];
  /** Stops and deletes what is left of a drill. */
  readonly takeDown: (data: string) => Promise<void>;
  /** Whether an app of this Wherry, the real one, sleeps: it is not to be woken. */
  readonly isAsleep: (app: AppRecord) => boolean;
  readonly httpPort: number;
  readonly gitUser: () => Promise<RestoreOptions['gitUser']>;
  readonly openStore: RestoreOptions['openStore'];
  readonly ticks: () => number;
};

export type Verified = {
  readonly id: string;
  readonly madeAt: string;
  readonly apps: readonly {
    readonly app: string;
    readonly release: number | null;
    /** Whether it was started in the drill. */
    readonly started: boolean;
    readonly status: number | null;
  }[];
  readonly repositories: number;
  /** What is not as it was, each a sentence. */
  readonly differences: readonly string[];
  readonly seconds: number;
};

/** Milliseconds for all apps of a drill together. */
const patience = 3_600_000;

export const drillFolder = ({ data }: Pick<Paths, 'data'>): string => join(data, 'drill');

/** Restores a backup into a scratch data directory, starts its apps there, compares, and deletes it all again. */
export async function verify(
  restic: Restic,
  options: VerifyOptions,
  {
    at,
    source,
    progress,
    signal,
  }: { at: string | undefined; source: string; progress: Progress; signal: AbortSignal },
): Promise<Verified> {
  const began = options.ticks();
  const data = drillFolder(options.paths);
  const paths = createPaths({ data, cache: join(data, 'cache') });
  if (existsSync(data)) await options.takeDown(data);
  progress.step(`Checking the backups at ${restic.target.text}`);
  await restic.run(['check'], { signal });
  await mkdir(data, { recursive: true, mode: 0o711 });
  const gitUser = await options.gitUser();
  try {
    const { snapshot, manifest, missing } = await restore(restic, {
      ...{ paths, at, source, gitUser, signal, verify: true, openStore: options.openStore },
      keyFile: options.paths.secretKey,
      makeVolume: async name => {
        await mkdir(join(paths.storage, name), { recursive: true });
        return join(paths.storage, name);
      },
      say: line => progress.step(line),
    });
    const stored = compareStored(manifest, options.openStore(paths));
    const broken = await brokenRepositories(manifest, paths, gitUser);
    const expected = await answersNow(manifest, options);
    progress.step('Starting its apps, one after the other, where they reach nothing');
    const answers = await drill(options.drillArgv({ data, cache: paths.cache }), { progress, signal });
    return {
      id: snapshot.shortId,
      madeAt: snapshot.at.toISOString(),
      apps: manifest.apps.map(({ name, release }) => ({
        app: name,
        release: release?.version ?? null,
        started: answers.has(name),
        status: answers.get(name)?.status ?? null,
      })),
      repositories: Object.keys(manifest.repos).length,
      differences: [
        ...missing.filter(line => line.startsWith('The image')),
        ...stored,
        ...broken,
        ...compareAnswers(answers, expected),
      ],
      seconds: Math.round((options.ticks() - began) / 100) / 10,
    };
  } finally {
    if (existsSync(data)) await options.takeDown(data);
  }
}

/** Apps, their config and releases, against what the backup said of itself when it was made. */
export function compareStored(manifest: Pick<Manifest, 'apps'>, store: Store): readonly string[] {
  const found = new Map(recordApps(store).map(record => [record.name, record] as const));
  store.close();
  return manifest.apps.flatMap(was => {
    const is = found.get(was.name);
    if (!is) return [`App ${was.name} is not in the database`];
    return [
      ...(is.config === was.config ? [] : [`The config of app ${was.name} is another one`]),
      ...(is.release?.version === was.release?.version && is.release?.image === was.release?.image
        ? []
        : [`The live release of app ${was.name} is another one`]),
      ...(is.releaseConfig === was.releaseConfig
        ? []
        : [`The config of app ${was.name}'s release is another one`]),
    ];
  });
}

async function brokenRepositories(
  { repos }: Manifest,
  paths: Paths,
  { uid, gid }: RestoreOptions['gitUser'],
): Promise<readonly string[]> {
  const env = hardenedGitEnv({ home: '/nonexistent', config: [], protocols: 'none' });
  const broken: string[] = [];
  for (const [name, { refs }] of Object.entries(repos)) {
    const cwd = join(paths.repos, name);
    if (!existsSync(cwd)) continue;
    const same =
      JSON.stringify(Object.entries(readRefs(cwd).refs).sort()) ===
      JSON.stringify(Object.entries(refs).sort());
    const whole = await exec('git', ['fsck', '--connectivity-only', '--no-dangling'], {
      ...{ cwd, uid, gid, env, timeout: 600_000 },
    }).then(
      () => true,
      () => false,
    );
    if (!same || !whole) broken.push(`The repository of app ${name.slice(0, -4)} is not whole`);
  }
  return broken;
}

/** What the apps themselves answer, where they are awake and at the same release. */
async function answersNow(
  manifest: Manifest,
  { store, isAsleep, httpPort }: VerifyOptions,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const app of store.apps.list()) {
    const was = manifest.apps.find(({ name }) => name === app.name);
    const host = store.domains.list(app)[0]?.replace(/^\*\./, 'drill.');
    const live = store.releases.live(app);
    if (!was || app.stopped || host === undefined || live?.version !== was.release?.version || isAsleep(was))
      continue;
    const answer = await ask({ host, at: { address: '127.0.0.1', port: httpPort } });
    if (answer) found.set(app.name, answer.status);
  }
  return found;
}

function compareAnswers(
  answers: ReadonlyMap<string, Answer>,
  expected: ReadonlyMap<string, number>,
): readonly string[] {
  return [...answers].flatMap(([app, { status, why }]) => {
    const real = expected.get(app);
    if (why !== undefined) return [`App ${app} did not come up: ${why}`];
    if (status === null || status === real || (real === undefined && status < 500)) return [];
    return [`App ${app} answers ${status}${real === undefined ? '' : `, and the real one ${real}`}`];
  });
}

type Answer = { readonly status: number | null; readonly why?: string };

async function drill(
  [file = '', ...args]: readonly string[],
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  let fault: string | undefined;
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' } = process.env;
  const child = spawn(file, args, { env: { PATH, WHERRY_LOG: 'error' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr?.on('data', chunk => {
    said = `${said}${chunk}`.slice(-4000);
  });
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', line => {
      const told = JSON.parse(line) as DrillLine;
      if ('fault' in told) fault = told.fault;
      else {
        answers.set(told.app, told);
        progress.detail(
          `${told.app}: ${told.why ?? (told.status === null ? 'started' : `answers ${told.status}`)}`,
        );
      }
    });
  const code = await new Promise<number | null>(resolve => {
    // It deletes what it made when it is asked to end.
    const stop = () => child.kill('SIGTERM');
    const timer = setTimeout(stop, patience);
    signal.addEventListener('abort', stop, { once: true });
    const settle = (status: number | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(status);
    };
    child.once('error', () => settle(null));
    child.once('close', settle);
  });
  signal.throwIfAborted();
  if (code === 0 && fault === undefined) return answers;
  const why = fault ?? said.trim().split('\n').at(-1) ?? '';
  throw new WherryError('failed', `The drill could not be held: ${why || `it ended with ${code}`}`);
}

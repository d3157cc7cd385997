import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePublicKey } from '../../src/domain/public-key.ts';
import type { Progress, Push, Source } from '../../src/domain/push.ts';
import { createReceiver } from '../../src/receive/index.ts';
import type { Receiver } from '../../src/receive/receiver.ts';
import type { SshLimits } from '../../src/ssh/limits.ts';
import { createSshServer, type Dispatch } from '../../src/ssh/server.ts';
import { systemClock } from '../../src/system/clock.ts';
import { createLocks } from '../../src/system/locks.ts';
import { silentLog } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';
import { createRepository, type Repository } from '../support/git.ts';
import { must, type Run, run } from '../support/run.ts';

type Deploy = (
  push: Push,
  source: Source,
  options: { progress: Progress; signal: AbortSignal },
) => Promise<void> | void;

/** A receiver and an SSH server in this process, on a free loopback port, with a registered key and one that is not. */
export interface Harness {
  readonly data: string;
  readonly port: number;
  readonly receiver: Receiver;
  readonly deployBranches: Map<string, string>;
  /** Apps whose builds have git's own folder. */
  readonly keeps: Set<string>;
  readonly deployed: Push[];
  /** What the next deploys do. */
  deploy: Deploy;
  dispatch: Dispatch;
  /** Whether a push may come in. */
  admit: (app: string) => Promise<void>;
  repository(app: string, files?: Record<string, string>): Promise<Repository>;
  ssh(
    words: readonly string[],
    options?: { user?: string; key?: string; flags?: readonly string[] },
  ): Promise<Run>;
  /** argv of an ssh client, for a process of one's own. */
  sshArgs(options?: { user?: string; key?: string; flags?: readonly string[] }): string[];
  /** What was told of who was refused. */
  readonly refused: readonly string[];
  /** Names of files in the app's repository that only a push under way may have. */
  leftovers(app: string): string[];
  /** Ids of processes that work in the app's repository. */
  processes(app: string): number[];
  /** The environment in which git speaks SSH to the harness. */
  readonly env: Readonly<Record<string, string>>;
  /** Number of object files and packs in the app's repository. */
  objects(app: string): number;
  end(): Promise<void>;
}

export async function startHarness(limits: Partial<SshLimits> = {}): Promise<Harness> {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-receive-'));
  const data = join(dir, 'data');
  // The folder above must let git's user through.
  await must('chmod', ['0711', dir]);
  const paths = createPaths({ data });
  const key = await makeKey(join(dir, 'key'));
  await makeKey(join(dir, 'stranger'));
  const deployBranches = new Map<string, string>();
  const deployed: Push[] = [];
  const refused: string[] = [];
  const keeps = new Set<string>();
  const receiver = createReceiver({
    paths,
    log: silentLog,
    clock: systemClock,
    locks: createLocks(),
    handler: {
      admit: app => harness.admit(app),
      deployBranch: app => deployBranches.get(app) ?? null,
      setDeployBranch: (app, branch) => deployBranches.set(app, branch),
      keepsHistory: app => keeps.has(app),
      deploy: async (push, source, options) => {
        await harness.deploy(push, source, options);
        deployed.push(push);
        rmSync(source.dir, { recursive: true });
      },
    },
  });
  await receiver.open();
  const server = createSshServer({
    address: { host: '127.0.0.1', port: 0 },
    hostKeysDir: paths.hostKeys,
    findKey: fingerprint =>
      fingerprint === key.fingerprint ? { name: 'me', publicKey: key.line } : undefined,
    receiver,
    dispatch: request => harness.dispatch(request),
    refusals: {
      login: ({ address, credential }) => void refused.push(`${address} ${credential?.slice(0, 7)}`),
      words: (actor, { command, result }) => void refused.push(`${actor.name} ${command} ${result}`),
    },
    limits,
    log: silentLog,
    clock: systemClock,
  });
  const { port } = await server.listen();

  const sshArgs: Harness['sshArgs'] = (options = {}) => [
    ...['-F', '/dev/null', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no'],
    ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes'],
    ...['-i', options.key ?? join(dir, 'key'), '-p', String(port)],
    ...(options.flags ?? []),
    `${options.user ?? 'wherry'}@127.0.0.1`,
  ];
  const env = { GIT_SSH_COMMAND: `ssh ${sshArgs().slice(0, -1).join(' ')}` };
  let copies = 0;
  const harness: Harness = {
    data,
    port,
    receiver,
    deployBranches,
    keeps,
    deployed,
    refused,
    deploy: () => {},
    dispatch: async () => 0,
    admit: async () => {},
    repository: (app, files = { 'index.html': 'hello\n' }) => {
      copies += 1;
      return createRepository({
        dir: join(dir, `copy-${copies}`),
        files,
        remote: `wherry@127.0.0.1:${app}`,
        env,
      });
    },
    ssh: (words, options) =>
      run('ssh', [...sshArgs(options), ...words], { env: { HOME: '/nonexistent' }, timeout: 30_000 }),
    sshArgs,
    leftovers: app =>
      list(join(paths.repos, `${app}.git`)).filter(name => /tmp_|incoming|\.lock$/.test(name)),
    processes: app => processesIn(join(paths.repos, `${app}.git`)),
    env,
    objects: app =>
      list(join(paths.repos, `${app}.git`, 'objects')).filter(name => /[0-9a-f]{38}/.test(name)).length,
    end: async () => {
      await server.close();
      await receiver.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  mkdirSync(data, { recursive: true });
  return harness;
}

async function makeKey(file: string): Promise<{ fingerprint: string; line: string }> {
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const key = parsePublicKey(readFileSync(`${file}.pub`, 'utf8'));
  return { fingerprint: key.fingerprint, line: `${key.type} ${key.blob.toString('base64')}` };
}

function processesIn(dir: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function list(dir: string): string[] {
  return readdirSync(dir, { recursive: true }).map(String);
}

/** A step that a test opens: what waits for it goes on. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Duplex } from 'node:stream';
import { sentence, WherryError } from '../domain/errors.ts';
import type { Progress, Source } from '../domain/push.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import type { Locks } from '../system/locks.ts';
import type { Log } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';
import type { Git } from './git.ts';
import { type GitRun, joinGit } from './git-run.ts';
import { answerHook, type HookCall, readHookCall } from './hook.ts';
import { createProgress, tellFailure } from './progress.ts';
import { judgePush, type PushVerdict } from './push-rules.ts';
import type { PushHandler, TrackedSession } from './receiver.ts';
import { mostRefs, parseRefUpdates, type RefUpdate } from './ref-updates.ts';
import type { Repositories } from './repositories.ts';
import { takeSource } from './sources.ts';

export type ReceiveParts = {
  readonly paths: Paths;
  readonly git: Git;
  readonly repositories: Repositories;
  readonly handler: PushHandler;
  /** One change to an app at a time; here from a push's hook until its ref has moved. */
  readonly locks: Locks;
  readonly log: Log;
  readonly clock: Clock;
  /** An error whose reason is the disk, as a sentence about it. */
  readonly diskTrouble: (error: unknown) => WherryError | undefined;
  /** Such a sentence when the disk takes nothing more. */
  readonly diskRefuses: () => WherryError | undefined;
};

/** Milliseconds. */
const times = { transfer: 3_600_000, turn: 1_800_000, deploy: 7_200_000, refs: 60_000 };

/**
 * One `git receive-pack`: the transfer, then the hook's part, then git moves the refs or drops the objects.
 * A client that leaves during the transfer, or while it waits for its turn, ends it. One that leaves during the deploy ends
 * nothing: git and its hook live on without it, so that the ref moves exactly when the deploy is live.
 */
export async function receivePack(session: TrackedSession, parts: ReceiveParts): Promise<number> {
  const repo = parts.repositories.pathOf(session.app);
  const { protocol } = session;
  const child = parts.git.start(['receive-pack', repo], {
    repo,
    protocol,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const run = joinGit(child, session);
  const [verdict, output] = [child.stdio[3], child.stdio[4]];
  if (!(verdict instanceof Duplex) || !(output instanceof Duplex)) return run.done;
  for (const channel of [verdict, output]) channel.on('error', () => {});

  const stop = limitTransfer(run, session.signal);
  const call = await readHookCall(verdict, mostRefs);
  stop.release();
  if (!call || session.signal.aborted) {
    run.stop();
    const exit = await run.done;
    // Git has told the client of it in words of its own, and ended well.
    const why = session.signal.aborted ? session.signal.reason : parts.diskRefuses();
    if (why !== undefined) session.stderr.write(` !     ${sentence(why)}\n`);
    return exit;
  }
  return serveHook({
    session,
    parts,
    repo,
    run,
    call,
    progress: createProgress(output),
    answer: status => answerHook({ verdict, output }, status),
  });
}

type HookWork = {
  readonly session: TrackedSession;
  readonly parts: ReceiveParts;
  readonly repo: string;
  readonly run: GitRun;
  readonly call: HookCall;
  readonly progress: Progress;
  readonly answer: (status: 0 | 1) => void;
};

async function serveHook(work: HookWork): Promise<number> {
  const { progress, session, parts } = work;
  try {
    const updates = parseRefUpdates(work.call.lines, work.call.count);
    const verdict = judge(work, updates);
    if (work.call.options.has('other'))
      progress.warn('Of push options only explain is known (git push -o explain): others are passed over.');
    if (verdict.deploy) return await deployInTurn(work, updates, verdict.deploy);
    return await settle(work, verdict, 0);
  } catch (error) {
    const disk = parts.diskTrouble(error);
    if (disk || !(error instanceof WherryError))
      parts.log.error({ err: error, app: session.app }, 'push failed');
    tellFailure(progress, disk ?? error);
    return settle(work, { notes: [] }, 1);
  }
}

function judge({ session, parts }: HookWork, updates: readonly RefUpdate[]): PushVerdict {
  return judgePush(updates, parts.handler.deployBranch(session.app));
}

/** Waits for other pushes to the app, then looks again: they may have moved the branch or chosen it. */
function deployInTurn(
  work: HookWork,
  updates: readonly RefUpdate[],
  { commit }: Deployable,
): Promise<number> {
  const { session, parts, progress } = work;
  const turn = {
    holder: `the deploy of ${commit.slice(0, 8)}`,
    wait: times.turn,
    onWait: (holder: string) => progress.step(`Waiting for ${holder}`),
    signal: session.signal,
  };
  return parts.locks.with(session.app, turn, async () => {
    const verdict = judge(work, updates);
    if (verdict.deploy) {
      await refuseMoved(work, verdict.deploy);
      await deploy(work, updates, verdict.deploy);
    }
    await faultPoint('receive:refs');
    const status = await settle(work, verdict, 0);
    await faultPoint('receive:moved');
    if (verdict.deploy) await afterwards(work, verdict.deploy);
    return status;
  });
}

type Deployable = NonNullable<PushVerdict['deploy']>;

/** Git would refuse to move the ref only after the deploy, when the new version is live. */
async function refuseMoved(
  { session, parts }: HookWork,
  { branch, commit, from }: Deployable,
): Promise<void> {
  const head = await parts.repositories.head(session.app, branch);
  if (head === from) return;
  if (head === commit)
    throw new WherryError(
      'conflict',
      `Commit ${commit.slice(0, 7)} was deployed by another push meanwhile, and branch ${branch} is there: nothing is left to do.`,
    );
  throw new WherryError(
    'conflict',
    `Branch ${branch} moved to ${head?.slice(0, 7) ?? 'nothing'} by another push meanwhile. Pull and push again.`,
  );
}

async function deploy(
  work: HookWork,
  updates: readonly RefUpdate[],
  { branch, commit }: Deployable,
): Promise<void> {
  const { session, parts, progress, repo, call } = work;
  const { app, actor } = session;
  const quarantine = call.quarantine === '' ? undefined : join(repo, 'objects', basename(call.quarantine));
  const life = limitDeploy(work);
  let source: Source | undefined;
  try {
    await faultPoint('receive:hook');
    const { git, paths } = parts;
    const history = parts.handler.keepsHistory?.(app) ? { branch, tags: tagsOf(updates) } : undefined;
    source = await takeSource({ git, paths, repo, quarantine, commit, history, signal: life.signal });
    await faultPoint('receive:source');
    const first = parts.handler.deployBranch(app) === null;
    if (first) progress.step(`Set ${branch} as deploy-branch`);
    const explain = call.options.has('explain');
    await parts.handler.deploy({ app, branch, commit, actor, explain }, source, {
      progress,
      signal: life.signal,
    });
    if (first) parts.handler.setDeployBranch(app, branch);
  } catch (error) {
    if (source) await rm(source.dir, { recursive: true, force: true });
    throw error;
  } finally {
    life.release();
  }
}

function tagsOf(updates: readonly RefUpdate[]): ReadonlyMap<string, string> {
  const tags = updates.filter(({ kind }) => kind === 'tag');
  return new Map(tags.flatMap(({ ref, to }) => (to === null ? [] : [[ref, to] as const])));
}

/** Tells the hook, then waits until git has moved the refs or dropped the push. */
async function settle(
  { run, progress, answer, parts }: HookWork,
  verdict: PushVerdict,
  status: 0 | 1,
): Promise<number> {
  for (const line of verdict.notes) progress.warn(line);
  answer(status);
  const timer = setTimeout(() => run.stop(), times.refs);
  const exit = await run.done;
  clearTimeout(timer);
  parts.log.debug({ exit, status }, 'push ended');
  return exit;
}

/** After git ended: a clone shall check out what runs. */
async function afterwards({ session, parts }: HookWork, { branch, commit }: Deployable): Promise<void> {
  const { app } = session;
  try {
    const head = await parts.repositories.head(app, branch);
    if (head !== commit)
      parts.log.warn({ app, branch, commit, head }, 'deployed, but git did not move the branch');
    await parts.repositories.pointHead(app, branch);
  } catch (error) {
    parts.log.warn({ err: error, app }, 'HEAD could not be set');
  }
}

/** Until the hook speaks: the client's leaving, or an hour, ends git. */
function limitTransfer(run: GitRun, signal: AbortSignal): { release(): void } {
  const timer = setTimeout(() => run.stop(), times.transfer);
  const stop = () => run.stop();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return {
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

/** Aborted when git is gone or the receiver stops, or after two hours. */
function limitDeploy({ session, run, parts }: HookWork): { readonly signal: AbortSignal; release(): void } {
  const life = new AbortController();
  const end = (message: string) => () => life.abort(new WherryError('interrupted', message));
  const onAbort = () => life.abort(session.ending.reason);
  const onLeft = () =>
    parts.log.info({ app: session.app }, 'the client of a push is gone; its deploy goes on');
  const timer = setTimeout(
    end('The deploy took more than two hours and was stopped. Push again.'),
    times.deploy,
  );
  if (session.ending.aborted) onAbort();
  session.ending.addEventListener('abort', onAbort, { once: true });
  session.signal.addEventListener('abort', onLeft, { once: true });
  void run.done.then(end('The push was cut off. Push again.'));
  return {
    signal: life.signal,
    release: () => {
      clearTimeout(timer);
      session.ending.removeEventListener('abort', onAbort);
      session.signal.removeEventListener('abort', onLeft);
    },
  };
}

import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { ExecError, exec, spawn } from '../../system/exec.ts';
import { hardenedGitEnv } from '../../system/git-env.ts';
import type { GitUser } from '../../system/git-user.ts';
import { extractArchive } from '../archive.ts';
import { portOf } from './addresses.ts';
import { type DownloadRules, open } from './download.ts';

export type RepositoryRequest = {
  readonly url: string;
  readonly ref?: string | undefined;
  /** A folder of ours that is gone afterwards. */
  readonly scratch: string;
  readonly user: GitUser;
  readonly rules: DownloadRules;
};

/** A repository that was looked at: where it really is, and the commit that was asked for. */
export type Remote = { readonly commit: string; readonly url: string; readonly args: readonly string[] };

/** Milliseconds, and bytes of one file that git may write. */
const timeout = 180_000;
const largestPack = 2 ** 29;

const config: readonly (readonly [string, string])[] = [
  ['transfer.fsckObjects', 'true'],
  ['fetch.fsck.zeroPaddedFilemode', 'warn'],
  ['fetch.fsck.badTimezone', 'warn'],
  ['fetch.fsck.missingSpaceBeforeDate', 'warn'],
  // Redirects were followed before, each checked.
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '30'],
  ['credential.helper', ''],
  ['core.fsmonitor', 'false'],
  ['core.bigFileThreshold', '32m'],
  ['gc.auto', '0'],
];

/**
 * The commit that a branch, tag or abbreviation means now. Asks the network.
 * @throws not-found when the repository has no such ref; access-denied, unavailable
 */
export async function resolveCommit(request: RepositoryRequest): Promise<Remote> {
  const remote = await locate(request);
  if (request.ref !== undefined && /^[0-9a-f]{40}$/.test(request.ref))
    return { ...remote, commit: request.ref };
  const { ref = 'HEAD' } = request;
  const patterns =
    ref === 'HEAD' ? ['HEAD'] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/tags/${ref}^{}`];
  const listed = await git(request, [...remote.args, 'ls-remote', '--quiet', remote.url, ...patterns]);
  const refs = new Map(listed.split('\n').map(line => line.split('\t').reverse() as [string, string]));
  const commit =
    refs.get(`refs/heads/${ref}`) ??
    refs.get(`refs/tags/${ref}^{}`) ??
    refs.get(`refs/tags/${ref}`) ??
    refs.get(ref);
  if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) return { ...remote, commit };
  // A short commit id can be told by a full copy alone.
  if (/^[0-9a-f]{7,39}$/.test(ref)) return { ...remote, commit: await fromFullCopy(request, remote, ref) };
  throw new WherryError(
    'not-found',
    `${quoteForPeople(request.url)} has no branch, tag or commit ${quoteForPeople(ref)}. Name one that it has.`,
  );
}

/** Writes the commit's files into `into`, through the rules for archives. @throws unavailable, invalid */
export async function checkOutCommit(
  request: RepositoryRequest,
  remote: Remote,
  into: string,
): Promise<void> {
  await makeRepository(request);
  const fetch = [...remote.args, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  // Shallow first; servers without that, or that hide the commit, give everything.
  await git(request, [...fetch, '--depth=1', remote.url, remote.commit]).catch(async () => {
    await fetchAll(request, remote);
  });
  await unpack(request, remote.commit, into);
}

async function fromFullCopy(
  request: RepositoryRequest,
  remote: Pick<Remote, 'url' | 'args'>,
  ref: string,
): Promise<string> {
  await makeRepository(request);
  await fetchAll(request, remote);
  const found = await git(request, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${ref}^{commit}`,
  ]);
  return found.trim();
}

async function fetchAll(
  request: RepositoryRequest,
  { url, args }: Pick<Remote, 'url' | 'args'>,
): Promise<void> {
  const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  await git(request, [
    ...args,
    'fetch',
    '--quiet',
    '--no-recurse-submodules',
    '--update-head-ok',
    url,
    ...refs,
  ]);
}

/** Follows redirects of the repository's first page and holds git to the addresses that were checked. */
async function locate({ url, rules }: RepositoryRequest): Promise<Pick<Remote, 'url' | 'args'>> {
  const asked = new URL(url);
  const page = 'info/refs';
  const first = new URL(`${asked.origin}${asked.pathname.replace(/\/+$/, '')}/${page}`);
  first.searchParams.set('service', 'git-upload-pack');
  const opened = await open(first, rules);
  opened.response.destroy();
  if (!opened.url.pathname.endsWith(`/${page}`))
    throw new WherryError('unavailable', `${quoteForPeople(url)} is no git repository. Check the URL.`);
  const base = `${opened.url.origin}${opened.url.pathname.slice(0, -page.length - 1)}`;
  const host = opened.url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = opened.host.addresses.map(({ address, family }) =>
    family === 6 ? `[${address}]` : address,
  );
  const pin = `${host}:${portOf(opened.url)}:${addresses.join(',')}`;
  const ca = rules.caFile === undefined ? [] : ['-c', `http.sslCAInfo=${rules.caFile}`];
  return { url: base, args: ['-c', `http.curloptResolve=${pin}`, ...ca] };
}

async function makeRepository(request: RepositoryRequest): Promise<void> {
  await git(request, ['init', '--quiet', '--bare', '.']);
}

const environment = hardenedGitEnv({ home: '/nonexistent', config, protocols: 'https:http' });

/** Runs git in the scratch folder as its own user, with a bound on what it writes. */
async function git(request: RepositoryRequest, args: readonly string[]): Promise<string> {
  const { user, rules } = request;
  try {
    const { stdout } = await exec('prlimit', [`--fsize=${largestPack}`, '--core=0', 'git', ...args], {
      cwd: repositoryOf(request),
      env: environment,
      ...user,
      timeout,
      signal: rules.signal,
    });
    return stdout;
  } catch (cause) {
    rules.signal.throwIfAborted();
    const said = cause instanceof ExecError ? (cause.stderr.trim().split('\n').at(-1) ?? '') : '';
    throw new WherryError(
      'unavailable',
      `Repository ${quoteForPeople(request.url)} could not be fetched: ${quoteForPeople(said)}. Try again later.`,
      { cause },
    );
  }
}

async function unpack(request: RepositoryRequest, commit: string, into: string): Promise<void> {
  const child = spawn('git', ['archive', '--format=tar', commit], {
    cwd: repositoryOf(request),
    env: environment,
    ...request.user,
    stdio: ['ignore', 'pipe', 'ignore'],
    signal: request.rules.signal,
    timeout,
  });
  child.on('error', () => {});
  if (!child.stdout) throw new WherryError('failed', 'git could not be started. Install it.');
  await extractArchive({ stream: child.stdout, into, name: `Repository ${quoteForPeople(request.url)}` });
}

function repositoryOf({ scratch, user }: RepositoryRequest): string {
  const dir = join(scratch, 'git');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chownSync(dir, user.uid, user.gid);
  return dir;
}

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { type AppName, quoteForPeople } from '../../domain/names.ts';
import type { Submodule } from '../../domain/push.ts';
import { ExecError, exec, spawn } from '../../system/exec.ts';
import { hardenedGitEnv } from '../../system/git-env.ts';
import { portOf } from '../../system/proxy.ts';
import type { SystemUser } from '../../system/system-user.ts';
import { extractArchive } from '../archive.ts';
import { ask, type DownloadRules, type Opened } from './download.ts';
import { gitmodulesOf } from './gitmodules.ts';
import { type SshAccess, sshRefusal } from './ssh-access.ts';

export type RepositoryRequest = {
  readonly url: string;
  readonly ref?: string | undefined;
  /** A folder of ours that is gone afterwards. */
  readonly scratch: string;
  readonly user: SystemUser;
  readonly rules: DownloadRules;
  /** Where objects go instead of the scratch folder, and where others are that need not come again; both are git's user's. */
  readonly objects?: { readonly into: string; readonly known: string } | undefined;
  /** Who we are to the host; told by https alone. */
  readonly login?: Login | undefined;
  /** The way to a host that is reached by ssh. */
  readonly ssh?: SshAccess | undefined;
  /** Refuse hosts that hand out files instead of speaking git's protocol: what they give is not checked by git. */
  readonly smart?: true;
};

export type Login = {
  readonly user: string;
  readonly password: string;
  /** Whose it is: what it opens is kept for these alone. */
  readonly scope: string;
};

/** Who an app is to a host of repositories, `HOST` or `HOST:PORT`. */
export type FindLogin = (app: AppName, host: string) => Login | undefined;

/** A repository that was looked at: where it really is, and the commit that was asked for. */
export type Remote = Located & {
  readonly commit: string;
  /** The branch that was asked for, or that is the default; undefined for a tag or a commit. */
  readonly branch?: string;
};
type Located = { readonly url: string; readonly args: readonly string[] };

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
  // Also a few objects stay one pack, which can be handed on.
  ['fetch.unpackLimit', '1'],
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
  const asked = [...remote.args, 'ls-remote', '--quiet', '--symref', remote.url, ...patterns];
  const listed = await git(request, asked);
  const refs = new Map(listed.split('\n').map(line => line.split('\t').reverse() as [string, string]));
  const commit =
    refs.get(`refs/heads/${ref}`) ??
    refs.get(`refs/tags/${ref}^{}`) ??
    refs.get(`refs/tags/${ref}`) ??
    refs.get(ref);
  if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) {
    const named = /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(listed)?.[1];
    const branch = ref === 'HEAD' ? named : refs.has(`refs/heads/${ref}`) ? ref : undefined;
    return { ...remote, commit, ...(branch === undefined ? {} : { branch }) };
  }
  // A short commit id can be told by a full copy alone.
  if (/^[0-9a-f]{7,39}$/.test(ref)) return { ...remote, commit: await fromFullCopy(request, remote, ref) };
  throw missing(request, ref);
}

function missing({ url }: RepositoryRequest, ref: string, cause?: unknown): WherryError {
  return new WherryError(
    'not-found',
    `${quoteForPeople(url)} has no branch, tag or commit ${quoteForPeople(ref)}. Name one that it has.`,
    { cause },
  );
}

/** Writes the commit's files into `into`, through the rules for archives; its submodules. @throws unavailable, invalid */
export async function checkOutCommit(
  request: RepositoryRequest,
  remote: Remote,
  into: string,
): Promise<readonly Submodule[]> {
  await makeRepository(request);
  const fetch = [...remote.args, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  // Shallow first; servers without that, or that hide the commit, give everything.
  await git(request, [...fetch, '--depth=1', remote.url, remote.commit]).catch(async () => {
    await fetchAll(request, remote);
  });
  await requireCommit(request, remote);
  keepAll(request);
  await unpack(request, remote.commit, into);
  return await submodulesIn(request, remote.commit, into);
}

/** Those that .gitmodules names and that the tree has; their folders are unpacked, and empty. */
async function submodulesIn(
  request: RepositoryRequest,
  commit: string,
  into: string,
): Promise<readonly Submodule[]> {
  // A list that cannot be read names none: as a buildpack the repository may be good all the same.
  const urls = await gitmodulesOf(into, request.rules.signal).catch(() => new Map<string, string>());
  if (urls.size === 0) return [];
  const listed = await git(request, ['ls-tree', '-z', commit, '--', ...urls.keys()]);
  return listed.split('\0').flatMap(line => {
    const [, oid, path] = /^160000 commit ([0-9a-f]{40})\t([\s\S]+)$/.exec(line) ?? [];
    return oid === undefined || path === undefined ? [] : [{ path, commit: oid }];
  });
}

/** Brings the commit and all its history into `request.objects`. @throws unavailable */
export async function fetchCommit(request: RepositoryRequest, remote: Remote): Promise<void> {
  await makeRepository(request);
  const fetch = [...remote.args, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  // Servers that give no commit by its name give everything.
  await git(request, [...fetch, remote.url, remote.commit]).catch(async () => {
    await fetchAll(request, remote);
  });
  await requireCommit(request, remote);
}

async function requireCommit(request: RepositoryRequest, { commit }: Remote): Promise<void> {
  await git(request, ['cat-file', '-e', `${commit}^{commit}`]).catch(cause => {
    throw missing(request, commit, cause);
  });
}

async function fromFullCopy(request: RepositoryRequest, remote: Located, ref: string): Promise<string> {
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

async function fetchAll(request: RepositoryRequest, { url, args }: Located): Promise<void> {
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
async function locate(request: RepositoryRequest): Promise<Located> {
  const { url, rules, login, smart } = request;
  if (request.ssh) return { url, args: [] };
  const asked = new URL(url);
  const page = 'info/refs';
  const first = new URL(`${asked.origin}${asked.pathname.replace(/\/+$/, '')}/${page}`);
  first.searchParams.set('service', 'git-upload-pack');
  const opened = await ask(
    first,
    rules,
    login && asked.protocol === 'https:' ? { authorization: basic(login) } : {},
  );
  const { statusCode, headers } = opened.response;
  opened.response.destroy();
  if (statusCode !== 200) throw refusal(url, opened.url, statusCode);
  if (!opened.url.pathname.endsWith(`/${page}`))
    throw new WherryError('unavailable', `${quoteForPeople(url)} is no git repository. Check the URL.`);
  if (smart && headers['content-type'] !== 'application/x-git-upload-pack-advertisement')
    throw new WherryError(
      'unavailable',
      `${quoteForPeople(url)} does not speak git's protocol. Give the URL that "git clone" takes.`,
    );
  const base = `${opened.url.origin}${opened.url.pathname.slice(0, -page.length - 1)}`;
  const ca = rules.caFile === undefined ? [] : ['-c', `http.sslCAInfo=${rules.caFile}`];
  const knows = login && opened.url.origin === asked.origin && asked.protocol === 'https:';
  const secrets = [
    ...(knows ? [`[http "${asked.origin}/"]`, `extraHeader = "Authorization: ${basic(login)}"`] : []),
    ...(opened.proxy ? ['[http]', 'proxyAuthMethod = basic', `proxy = "${opened.proxy.href}"`] : []),
  ];
  return { url: base, args: [...pinned(opened), ...ca, ...secretFile(request, secrets)] };
}

/** Holds git to the addresses that were checked; a proxy finds its own. */
function pinned({ url, host, proxy }: Opened): string[] {
  if (proxy) return [];
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = host.addresses.map(({ address, family }) => (family === 6 ? `[${address}]` : address));
  return ['-c', `http.curloptResolve=${name}:${portOf(url)}:${addresses.join(',')}`];
}

function refusal(url: string, { host, origin, pathname }: URL, status: number | undefined): WherryError {
  if (status === 401 || status === 403)
    return new WherryError(
      'access-denied',
      `${quoteForPeople(url)} is not open to everybody (status ${status}).`,
      {
        hint: `Tell Wherry who the app is there: git:auth APP ${host} USER < password-file`,
      },
    );
  return new WherryError(
    'unavailable',
    `${quoteForPeople(`${origin}${pathname}`)} answers with status ${status}. Check the URL.`,
  );
}

export function basic({ user, password }: Login): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** git reads logins and proxies from a file that is its own: neither its words nor its environment show them. */
function secretFile(request: RepositoryRequest, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const file = join(repositoryOf(request), 'secret.conf');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  chownSync(file, request.user.uid, request.user.gid);
  return ['-c', `include.path=${file}`];
}

async function makeRepository(request: RepositoryRequest): Promise<void> {
  await git(request, ['init', '--quiet', '--bare', '.']);
}

const environment = hardenedGitEnv({ home: '/nonexistent', config, protocols: 'https:http' });

/** Runs git in the scratch folder as its own user, with a bound on what it writes. */
async function git(request: RepositoryRequest, args: readonly string[]): Promise<string> {
  const { user, rules, objects } = request;
  try {
    const { stdout } = await exec('prlimit', [`--fsize=${largestPack}`, '--core=0', 'git', ...args], {
      cwd: repositoryOf(request),
      env: { ...environment, ...(objects ? objectFolders(objects) : {}), ...request.ssh?.env },
      ...user,
      timeout,
      signal: rules.signal,
    });
    return stdout;
  } catch (cause) {
    rules.signal.throwIfAborted();
    const all = cause instanceof ExecError ? cause.stderr.trim() : '';
    const refused = request.ssh && sshRefusal(new URL(request.url), all);
    if (refused) throw refused;
    const said = (request.ssh ? all.split('\n')[0] : all.split('\n').at(-1)) ?? '';
    throw new WherryError(
      'unavailable',
      `Repository ${quoteForPeople(request.url)} could not be fetched: ${quoteForPeople(said)}. Try again later.`,
      { cause },
    );
  }
}

/** The repository's attributes do not say what of it is left out: others take it by a checkout, which asks them nothing. */
function keepAll(request: RepositoryRequest): void {
  const info = join(repositoryOf(request), 'info');
  mkdirSync(info, { recursive: true });
  writeFileSync(join(info, 'attributes'), '* -export-ignore -export-subst\n');
}

function objectFolders({ into, known }: { into: string; known: string }): Record<string, string> {
  return { GIT_OBJECT_DIRECTORY: into, GIT_ALTERNATE_OBJECT_DIRECTORIES: known };
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

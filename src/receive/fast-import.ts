import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { exitOf, type Git, killGroup } from './git.ts';
import type { NewCommit } from './offers.ts';
import { checkName, joinPath } from './tree.ts';

type Import = NewCommit & {
  readonly git: Git;
  readonly repo: string;
  readonly quarantine: string;
  readonly parent: string | null;
  /** When the commit was made. */
  readonly at: Date;
};

/** Deleted again in the same breath, so that no ref ever leads to the quarantine. */
const scratchRef = 'refs/wherry/offer';
const nothing = '0'.repeat(40);

/**
 * Makes a commit of a folder by one `git fast-import`, run as git's user: no attribute, filter or ignore file of the folder has
 * a say in what goes in, and its files are streamed. Its id.
 */
export async function importFolder(given: Import): Promise<string> {
  const { git, repo, quarantine, signal } = given;
  // Refused before git starts, which writes a report of each script that is cut off.
  const entries = await list(given.dir, '');
  if (entries.length === 0) throw new WherryError('invalid', 'There are no files to deploy. Send some.');
  const child = git.start(['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--done'], {
    repo,
    quarantine,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const { stdin, stdout, pid } = child;
  if (!stdin || !stdout) throw new Error('git has no streams');
  const stop = () => killGroup(child, 'SIGKILL');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const exited = exitOf(child);
  const printed = text(stdout);
  try {
    // When git ends early its status says so; the broken pipe only follows from it.
    const fault = await pipeline(script(given, entries), stdin).then(
      () => undefined,
      (error: unknown) => error,
    );
    const status = await exited;
    signal.throwIfAborted();
    const commit = (await printed).trim();
    if (status === 0 && /^[0-9a-f]{40}$/.test(commit)) return commit;
    await rm(join(repo, `fast_import_crash_${pid}`), { force: true });
    throw new WherryError(
      'failed',
      'The files could not be written to the repository. See that the disk has room.',
      { cause: fault },
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

type Entry = { readonly path: string; readonly file: string } & (
  | { readonly mode: '100644' | '100755'; readonly size: number }
  | { readonly mode: '120000' }
);

/** Files and links below a folder. Empty folders leave no trace, as ever in git. */
async function list(dir: string, path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of await readdir(join(dir, path))) {
    const inside = joinPath(path, checkName(Buffer.from(name)));
    const file = join(dir, inside);
    const stats = await lstat(file);
    if (stats.isDirectory()) entries.push(...(await list(dir, inside)));
    else if (stats.isSymbolicLink()) entries.push({ path: inside, file, mode: '120000' });
    else if (stats.isFile())
      entries.push({
        ...{ path: inside, file, size: stats.size },
        mode: (stats.mode & 0o100) === 0 ? '100644' : '100755',
      });
    else throw new WherryError('invalid', `${quoteForPeople(inside)} is neither file, folder nor link.`);
  }
  return entries;
}

async function* script(
  { message, author, at, parent }: Import,
  entries: readonly Entry[],
): AsyncGenerator<Buffer | string> {
  const seconds = Math.floor(at.getTime() / 1000);
  const who = `${plain(author.name) || 'wherry'} <${plain(author.email)}> ${seconds} +0000`;
  yield `commit ${scratchRef}\nmark :1\nauthor ${who}\ncommitter ${who}\n`;
  yield* counted(Buffer.from(message));
  if (parent !== null) yield `from ${parent}\n`;
  yield 'deleteall\n';
  for (const entry of entries) {
    yield `M ${entry.mode} inline ${quoted(entry.path)}\n`;
    if (entry.mode === '120000') yield* counted(Buffer.from(await readlink(entry.file)));
    else yield* contentOf(entry);
  }
  yield `get-mark :1\nreset ${scratchRef}\nfrom ${nothing}\ndone\n`;
}

async function* contentOf({ file, size }: { file: string; size: number }): AsyncGenerator<Buffer | string> {
  yield `data ${size}\n`;
  if (size > 0) yield* createReadStream(file, { end: size - 1 });
  yield '\n';
}

function* counted(bytes: Buffer): Generator<Buffer | string> {
  yield `data ${bytes.length}\n`;
  yield bytes;
  yield '\n';
}

/** git's C style: the name's bytes in octal where they are not plain. */
function quoted(path: string): string {
  const bytes = [...Buffer.from(path)].map(byte =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  );
  return `"${bytes.join('')}"`;
}

/** What may stand in a commit's header. */
function plain(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}<>]/gu, '')
    .trim()
    .slice(0, 200);
}

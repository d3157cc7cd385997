import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';

type Trouble = 'full' | 'inodes' | 'read-only' | 'failing' | 'damaged';

/** What a disk must be able to take. */
const probeBytes = 64 * 1024;

const byCode: Readonly<Record<string, Trouble>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EIO: 'failing',
};
/** Extended codes of SQLite begin with the plain one. */
const bySqlite: readonly (readonly [RegExp, Trouble])[] = [
  [/^SQLITE_FULL/, 'full'],
  [/^SQLITE_READONLY/, 'read-only'],
  [/^SQLITE_(IOERR|CANTOPEN)/, 'failing'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'damaged'],
];
/** What programs print. */
const byText: readonly (readonly [RegExp, Trouble])[] = [
  [/No space left on device|Disk quota exceeded/, 'full'],
  [/Read-only file system/, 'read-only'],
  [/Input\/output error/, 'failing'],
];

/**
 * An error whose reason is the disk that holds one of the folders, as a sentence that names both and the remedy; nothing for any other.
 * Programs and Node itself tell of a disk in many ways, so of an error that nobody foresaw the disk is asked.
 */
export function diskTrouble(error: unknown, folders: readonly string[]): WherryError | undefined {
  if (error instanceof WherryError && error.code !== 'failed') return undefined;
  const told = chain(error)
    .flatMap(each => troubleOf(each) ?? [])
    .at(0);
  if (told === undefined && error instanceof WherryError) return undefined;
  const found = told === 'damaged' ? undefined : findTrouble(folders);
  if (found) return explained(found.trouble, found.folder, error);
  return told === undefined ? undefined : explained(told, folders[0] ?? '', error);
}

/** Whether a disk of the folders takes nothing more, as such a sentence. */
export function diskThatRefuses(folders: readonly string[]): WherryError | undefined {
  const found = findTrouble(folders);
  return found && explained(found.trouble, found.folder, undefined);
}

/** Does what is not worth failing for: where the disk does not take it, it is left out. @returns whether it was done */
export function unlessDiskRefuses(work: () => void, leftOut: (error: unknown) => void = () => {}): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!chain(error).some(each => troubleOf(each) !== undefined)) throw error;
    leftOut(error);
    return false;
  }
}

function chain(error: unknown): readonly unknown[] {
  const all: unknown[] = [];
  for (let at = error; at instanceof Error && all.length < 8; at = at.cause) all.push(at);
  return all;
}

function troubleOf(error: unknown): Trouble | undefined {
  const { code, message, stderr } = error as { code?: unknown; message?: string; stderr?: unknown };
  if (error instanceof WherryError) return undefined;
  const known = byCode[String(code)] ?? bySqlite.find(([pattern]) => pattern.test(String(code)))?.[1];
  const text = `${message ?? ''}\n${typeof stderr === 'string' ? stderr.slice(-4000) : ''}`;
  return known ?? byText.find(([pattern]) => pattern.test(text))?.[1];
}

function findTrouble(folders: readonly string[]): { trouble: Trouble; folder: string } | undefined {
  for (const folder of folders) {
    const trouble = stateOf(folder);
    if (trouble !== undefined) return { trouble, folder };
  }
  return undefined;
}

/** What the disk itself says to a file of some size. */
function stateOf(folder: string): Trouble | undefined {
  const probe = join(folder, `.disk-probe-${process.pid}`);
  try {
    writeFileSync(probe, Buffer.alloc(probeBytes), { mode: 0o600 });
    return undefined;
  } catch (error) {
    const trouble = troubleOf(error);
    return trouble === 'full' && hasNoInodes(folder) ? 'inodes' : trouble;
  } finally {
    unlessDiskRefuses(() => rmSync(probe, { force: true }));
  }
}

function hasNoInodes(folder: string): boolean {
  const { files, ffree } = statfsSync(folder);
  return files > 0 && ffree === 0;
}

function explained(trouble: Trouble, folder: string, cause: unknown): WherryError {
  const disk = `The disk that holds ${folder}`;
  switch (trouble) {
    case 'full':
      return unavailable(
        `${disk} is full. Free some of it, then do this again; apps that run are not touched.`,
        cause,
        'disk:report shows who takes it, cleanup frees what nothing needs',
      );
    case 'inodes':
      return unavailable(
        `${disk} has no inodes left: it holds too many files. Delete some, then do this again; apps that run are not touched.`,
        cause,
        'disk:report shows who takes it, cleanup frees what nothing needs',
      );
    case 'read-only':
      return unavailable(
        `${disk} can only be read. Look for the reason in the kernel's log (dmesg), have it mounted for writing, then do this again.`,
        cause,
      );
    case 'failing':
      return unavailable(
        `${disk} fails to read or write. Look for the reason in the kernel's log (dmesg) and have a backup ready before anything else.`,
        cause,
      );
    case 'damaged':
      return unavailable(
        `The database in ${folder} is damaged. Look at the disk, stop the daemon, and put back the newest copy: it is said what is lost by that.`,
        cause,
        'wherry database restore',
      );
  }
}

function unavailable(message: string, cause: unknown, hint?: string): WherryError {
  return new WherryError('unavailable', message, { cause, ...(hint === undefined ? {} : { hint }) });
}

import { deflateSync } from 'node:zlib';
import { WherryError } from '../domain/errors.ts';
import type { ObjectReader } from './objects.ts';

export type Commit = { readonly tree: string; readonly subject: string };

/**
 * Reads a commit with isomorphic-git, which checks its hash, over a file system made of git's own object reader:
 * it sees quarantined objects too and never loads a pack into memory.
 * @throws not-found, or invalid when the object is no commit
 */
export async function readCommit(objects: ObjectReader, oid: string): Promise<Commit> {
  const { readCommit: read, Errors } = await import('isomorphic-git');
  try {
    const { commit } = await read({
      fs: { promises: objectFiles(objects) },
      gitdir: '/objects-only',
      oid,
      cache: {},
    });
    return { tree: commit.tree, subject: subjectOf(commit.message) };
  } catch (error) {
    // It takes every failure to read for an absent file.
    if (error instanceof Errors.NotFoundError) {
      throw new WherryError(
        'not-found',
        `Commit ${oid.slice(0, 12)} is not in the repository. Push it again.`,
        {
          cause: error,
        },
      );
    }
    if (!(error instanceof Errors.ObjectTypeError)) throw error;
    throw new WherryError('invalid', `${oid.slice(0, 12)} is not a commit. Push a branch.`, { cause: error });
  }
}

/** Loose objects made up on demand; nothing else exists, nothing can be written. */
function objectFiles(objects: ObjectReader) {
  const absent = async (): Promise<never> => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  const readFile = async (path: string): Promise<Buffer> => {
    const match = /\/objects\/([0-9a-f]{2})\/([0-9a-f]{38})$/.exec(path);
    if (!match) return absent();
    const { type, body } = await objects.read(`${match[1]}${match[2]}`);
    return deflateSync(Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]), { level: 0 });
  };
  return {
    readFile,
    readdir: async () => [],
    writeFile: absent,
    mkdir: absent,
    rmdir: absent,
    unlink: absent,
    stat: absent,
    lstat: absent,
    readlink: absent,
    symlink: absent,
  };
}

/** First line, printable characters only. */
function subjectOf(message: string): string {
  const [first = ''] = message.trimStart().split('\n');
  return first
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 200);
}

import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BuildpackSource } from '../../domain/buildpack-source.ts';
import { WherryError } from '../../domain/errors.ts';
import { spawn } from '../../system/exec.ts';
import { ensureSystemUser } from '../../system/system-user.ts';
import { extractArchive } from '../archive.ts';

type ArchiveSource = Extract<BuildpackSource, { kind: 'archive' }>;

/** Unpacks a downloaded archive by its URL's ending and returns the folder with the buildpack. @throws invalid */
export async function unpackDownload(source: ArchiveSource, file: string, into: string): Promise<string> {
  const path = new URL(source.url).pathname;
  await extractArchive({ stream: await unpacked(path, file), into, name: `Archive ${source.text}` });
  return rootOf(into);
}

async function unpacked(path: string, file: string): Promise<Readable> {
  const raw = createReadStream(file);
  if (/\.tar$/i.test(path)) return raw;
  if (/\.(tgz|gz)$/i.test(path)) {
    const gunzip = createGunzip();
    raw.on('error', error => gunzip.destroy(error));
    return raw.pipe(gunzip);
  }
  const user = await ensureSystemUser('wherry-git');
  const child = spawn('bzip2', ['-dc'], {
    ...user,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 120_000,
  });
  if (!child.stdin || !child.stdout)
    throw new WherryError('failed', 'bzip2 could not be started. Install it.');
  const { stdout } = child;
  child.on('error', error => stdout.destroy(error));
  child.stdin.on('error', () => {});
  raw.pipe(child.stdin);
  return stdout;
}

/** Archives of repositories hold one folder with everything, others everything at once. */
function rootOf(dir: string): string {
  const entries = readdirSync(dir, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() && only.name !== 'bin' ? join(dir, only.name) : dir;
}

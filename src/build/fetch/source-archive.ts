import { createReadStream, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { ArchiveType } from '../../domain/archive-type.ts';
import { WherryError } from '../../domain/errors.ts';
import { extractArchive } from '../archive.ts';
import type { FolderOptions } from '../archive-folder.ts';
import type { Unpacked, UnpackRequest } from '../builder.ts';
import { makeWorkFolder } from '../lifecycle/work-folder.ts';
import { saveStream } from '../save-stream.ts';
import { extractZip } from '../zip.ts';
import { type DownloadRules, download, shown } from './download.ts';
import { basic, type FindLogin } from './repository.ts';

type Way = { readonly rules: Omit<DownloadRules, 'signal'>; readonly login: FindLogin };

/** An app's files out of an archive, which comes from a URL or is sent. @throws invalid naming what is refused; as `download` */
export async function unpackSource(
  request: UnpackRequest,
  { builds, ...way }: Way & { builds: string },
): Promise<Unpacked> {
  const work = await makeWorkFolder(join(builds, request.app));
  try {
    const file = join(work.dir, 'archive');
    const name = await save(request, file, way);
    const into = work.folder('archive.d');
    const format = await formatOf(file, request.type, name);
    await extract(format, { file, into, name, limits: request.most });
    return { dir: topOf(into), remove: work.remove };
  } catch (error) {
    await work.remove();
    request.signal.throwIfAborted();
    throw error;
  }
}

/** The archive's name, for people. */
async function save(
  { app, archive, limits: { disk, time }, progress, signal }: UnpackRequest,
  file: string,
  { rules, login }: Way,
): Promise<string> {
  if (archive instanceof URL) {
    progress.step(`Fetching ${shown(archive)}`);
    const known = archive.protocol === 'https:' ? login(app, archive.host) : undefined;
    await download(archive, file, { ...rules, signal }, known ? { authorization: basic(known) } : {});
    return `Archive ${shown(archive)}`;
  }
  await saveStream(archive, file, { most: disk, time, signal });
  return 'The archive';
}

/** By its first bytes: names lie, and standard input has none. @throws invalid when it is another than was said */
async function formatOf(file: string, said: ArchiveType | undefined, name: string): Promise<ArchiveType> {
  const handle = await open(file, 'r');
  const head = Buffer.alloc(4);
  try {
    await handle.read(head, 0, 4, 0);
  } finally {
    await handle.close();
  }
  const found =
    head.readUInt16BE(0) === 0x1f8b ? 'tar.gz' : head.toString('latin1', 0, 2) === 'PK' ? 'zip' : 'tar';
  if (said === undefined || said === found) return found;
  throw new WherryError(
    'invalid',
    `${name} is no ${said} archive. Leave --archive-type out, or make it again.`,
  );
}

async function extract(format: ArchiveType, options: FolderOptions & { file: string }): Promise<void> {
  if (format === 'zip') return await extractZip(options);
  const raw = createReadStream(options.file);
  if (format === 'tar') return await extractArchive({ ...options, stream: raw });
  const stream = createGunzip();
  raw.on('error', error => stream.destroy(error));
  await extractArchive({ ...options, stream: raw.pipe(stream) });
}

/** Archives of repositories hold one folder with everything in it. */
function topOf(dir: string): string {
  const entries = readdirSync(dir, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() ? join(dir, only.name) : dir;
}

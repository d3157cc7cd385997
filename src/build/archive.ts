import type { Readable } from 'node:stream';
import { type Extract, extract } from 'tar-stream';
import { WherryError } from '../domain/errors.ts';
import { type ArchiveFolder, createArchiveFolder, type FolderOptions } from './archive-folder.ts';

export type ExtractOptions = FolderOptions & {
  /** Plain tar; whoever calls has taken the compression away. */
  readonly stream: Readable;
};

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;

/**
 * Unpacks a tar stream: plain files, folders, links that stay inside. Modes become 0755 or 0644, owners and times are dropped.
 * @throws invalid naming the entry that is refused, or when the archive is cut off or too large; `into` is then half filled
 */
export async function extractArchive(options: ExtractOptions): Promise<void> {
  const folder = createArchiveFolder(options);
  const reader = extract();
  const end = watchEnd(options.stream);
  options.stream.on('error', error => reader.destroy(error));
  options.stream.pipe(reader);
  try {
    for await (const entry of reader) await take(folder, entry);
  } catch (error) {
    if (error instanceof WherryError) throw error;
    throw cutOff(options.name, error);
  } finally {
    options.stream.destroy();
  }
  if (!end.complete()) throw cutOff(options.name);
}

async function take(folder: ArchiveFolder, entry: Entry): Promise<void> {
  const { name, type, size, mode, linkname } = entry.header;
  const path = folder.place(name);
  if (path === '' && type !== 'directory') throw folder.refuse(name, 'is not a file name');
  if (type === 'directory') folder.folder(path);
  else if (type === 'symlink') folder.link(path, linkname ?? '');
  else if (type === 'link') folder.hardLink(path, linkname ?? '');
  else if (type === 'file' || type === 'contiguous-file') {
    const program = ((mode ?? 0) & 0o111) !== 0;
    const content = entry as AsyncIterable<Buffer>;
    return await folder.file(path, { size: size ?? 0, program, content });
  } else throw folder.refuse(path, `is a ${type ?? 'entry of unknown kind'}, not a file, folder or link`);
  entry.resume();
}

/** A whole tar ends with two blocks of zeros; without them it may have been cut between two files. */
function watchEnd(stream: Readable) {
  let zeros = 0;
  stream.on('data', (chunk: Buffer) => {
    let at = chunk.length;
    while (at > 0 && chunk[at - 1] === 0) at -= 1;
    zeros = at === 0 ? zeros + chunk.length : chunk.length - at;
  });
  return { complete: () => zeros >= 1024 };
}

function cutOff(name: string, cause?: unknown): WherryError {
  return new WherryError(
    'invalid',
    `${name} is no whole tar archive: it is damaged or cut off. Make it again.`,
    {
      cause,
    },
  );
}

import { createHash } from 'node:crypto';
import { chmodSync, lchownSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Extract, extract, type Header, pack } from 'tar-stream';
import { WherryError } from '../../domain/errors.ts';
import type { UserIds } from '../../domain/image.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { exec } from '../../system/exec.ts';
import {
  createEntryPaths,
  type EntryKind,
  type EntryPaths,
  type Refuse,
  writeNewFile,
} from '../entry-paths.ts';

// Layers of images from elsewhere (OCI image-spec, layer.md). Unlike an app's archive they hold a whole system: links to
// absolute paths and owners are as they should be. So links are never followed here, and nothing is written through one.

export type UnpackOptions = {
  /** The layer's tar, without compression. */
  readonly stream: Readable;
  /** An empty folder of ours. */
  readonly into: string;
  /** What it is, for messages: `Layer 3 of image.tar`. */
  readonly name: string;
  /** Bytes of all files together. */
  readonly limit: number;
};

export type Unpacked = {
  /** sha256 of the tar as it came: what the image's configuration promises. */
  readonly diffId: string;
  /** Bytes of all files together. */
  readonly size: number;
  /** Folders that hide what lies below them in lower layers. */
  readonly opaque: ReadonlySet<string>;
};

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;
type State = UnpackOptions & {
  readonly paths: EntryPaths;
  readonly gone: Set<string>;
  readonly opaque: Set<string>;
  readonly folders: Map<string, Header>;
  readonly refuse: Refuse;
  left: number;
};

const mostEntries = 500_000;
/** What a tar header of ours can hold. */
const highestId = 8 ** 7 - 1;
const whiteout = '.wh.';

/**
 * Unpacks one layer; what it deletes in lower ones becomes what overlayfs reads as deleted. Owners are kept, setuid and setgid
 * bits are not: no process of an instance could use them, but users of the host could. Devices below /dev are left out, as the
 * runtime mounts its own there.
 * @throws invalid naming the entry that is refused; `into` is then half filled
 */
export async function unpackLayer(options: UnpackOptions): Promise<Unpacked> {
  const refuse: Refuse = (path, why) =>
    new WherryError('invalid', `${options.name} is refused: ${quoteForPeople(path)} ${why}.`);
  const state: State = {
    ...options,
    left: options.limit,
    paths: createEntryPaths({
      whole: 'layer',
      forbidden: /\0/,
      refuse,
      makeFolder: path => makeFolder(state, path),
    }),
    gone: new Set(),
    opaque: new Set(),
    folders: new Map(),
    refuse,
  };
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const reader = extract();
  const flow = pipeline(options.stream, hashed, reader);
  flow.catch(() => {});
  try {
    for await (const entry of reader) await take(state, entry);
    await flow;
  } catch (error) {
    if (error instanceof WherryError) throw error;
    throw new WherryError('invalid', `${options.name} is damaged or cut off. Make the image again.`, {
      cause: error,
    });
  }
  finishFolders(state);
  await markDeleted(state);
  return { diffId: `sha256:${hash.digest('hex')}`, size: options.limit - state.left, opaque: state.opaque };
}

async function take(state: State, entry: Entry): Promise<void> {
  const { header } = entry;
  const path = state.paths.check(header.name);
  if (state.paths.seen.size + state.gone.size > mostEntries)
    throw state.refuse(path, `is one more than the ${mostEntries} entries that are allowed`);
  const base = basename(path);
  if (base.startsWith(whiteout)) remember(state, path, base.slice(whiteout.length));
  else if (path === '' || header.type === 'directory') makeFolder(state, path, header);
  else if (header.type === 'file' || header.type === 'contiguous-file')
    return await writeFile(state, path, entry);
  else if (header.type === 'symlink') makeLink(state, path, header);
  else if (header.type === 'link') makeHardLink(state, path, header);
  else if (header.type !== 'fifo' && !path.startsWith('dev/'))
    throw state.refuse(path, `is a ${header.type ?? 'entry of unknown kind'}, which no image needs`);
  entry.resume();
}

/** `.wh.NAME` deletes NAME of lower layers, `.wh..wh..opq` all that lower layers have in its folder. */
function remember(state: State, path: string, name: string): void {
  const folder = dirname(path) === '.' ? '' : dirname(path);
  state.paths.reach(path);
  if (name === '.wh..opq') state.opaque.add(folder);
  else if (name === '' || name === '.' || name === '..') throw state.refuse(path, 'deletes no file name');
  else if (!name.startsWith(whiteout)) state.gone.add(folder === '' ? name : `${folder}/${name}`);
}

/** Room for an entry that is no folder: a later file of the same name takes the place of the first. */
function claim(state: State, path: string, kind: EntryKind): string {
  state.paths.reach(path);
  const before = state.paths.seen.get(path);
  if (before === 'folder') throw state.refuse(path, 'is in it twice, as a folder and as something else');
  const file = join(state.into, path);
  if (before !== undefined) rmSync(file);
  state.paths.seen.set(path, kind);
  return file;
}

function makeFolder(state: State, path: string, header?: Header): void {
  if (path !== '') state.paths.reach(path);
  const kind = state.paths.seen.get(path);
  if (kind === undefined) mkdirSync(join(state.into, path), { mode: 0o755 });
  else if (kind !== 'folder') throw state.refuse(path, 'is in it twice, as a folder and as something else');
  state.paths.seen.set(path, 'folder');
  if (header) state.folders.set(path, header);
}

function makeLink(state: State, path: string, header: Header): void {
  const target = header.linkname ?? '';
  state.paths.checkTarget(path, target);
  const file = claim(state, path, 'link');
  symlinkSync(target, file);
  own(state, path, header);
}

function makeHardLink(state: State, path: string, header: Header): void {
  const first = state.paths.check((header.linkname ?? '').replace(/^\/+/, ''));
  const kind = state.paths.seen.get(first);
  if (kind === undefined || kind === 'folder')
    throw state.refuse(path, 'is a link to a file that is not in front of it');
  if (first === path) return;
  linkSync(join(state.into, first), claim(state, path, kind));
}

async function writeFile(state: State, path: string, entry: Entry): Promise<void> {
  const file = claim(state, path, 'file');
  await writeNewFile(file, 0o600, entry as AsyncIterable<Buffer>, bytes => {
    state.left -= bytes;
    if (state.left < 0)
      throw state.refuse(
        path,
        `makes it larger than ${Math.floor(state.limit / 2 ** 20)} MiB, which is what is allowed`,
      );
  });
  own(state, path, entry.header);
  chmodSync(file, modeOf(entry.header, 0o644));
}

function own(state: State, path: string, header: Header): void {
  const { uid, gid } = idsOf(header);
  if (!(uid <= highestId && gid <= highestId))
    throw state.refuse(path, `belongs to user ${uid} and group ${gid}, which are out of range`);
  lchownSync(join(state.into, path), uid, gid);
}

/** Large ones come in a record beside the header. */
function idsOf({ uid = 0, gid = 0, pax }: Partial<Header>): UserIds {
  const records = (pax ?? {}) as Readonly<Record<string, string>>;
  return { uid: Number(records['uid'] ?? uid), gid: Number(records['gid'] ?? gid) };
}

/** The sticky bit of folders stays. */
function modeOf({ mode, type }: Header, usual: number): number {
  return (mode ?? usual) & (type === 'directory' ? 0o1777 : 0o777);
}

/** Last, and from the innermost out: what is written into them needs no rights of theirs. */
function finishFolders(state: State): void {
  for (const [path, header] of [...state.folders].reverse()) {
    own(state, path, header);
    chmodSync(join(state.into, path), modeOf(header, 0o755));
  }
}

/**
 * Whiteouts are devices and opaque folders carry an attribute of overlayfs, neither of which Node can make; GNU tar can. A
 * folder that is deleted and made again in one layer is opaque too.
 */
async function markDeleted(state: State): Promise<void> {
  const archive = pack();
  for (const path of state.gone) {
    const kind = state.paths.seen.get(path);
    if (kind === 'folder') state.opaque.add(path);
    if (kind === undefined)
      archive.entry({ name: path, type: 'character-device', mode: 0, devmajor: 0, devminor: 0 });
  }
  // Nothing lies below the lowest folder of an overlay; the root itself cannot be opaque.
  if (state.opaque.has('')) throw state.refuse('/', 'is deleted as a whole, which is not supported');
  for (const path of state.opaque) {
    const header = state.folders.get(path);
    archive.entry({
      name: `${path}/`,
      type: 'directory',
      mode: header ? modeOf(header, 0o755) : 0o755,
      ...idsOf(header ?? {}),
      pax: { 'SCHILY.xattr.trusted.overlay.opaque': 'y' },
    });
  }
  archive.finalize();
  if (state.gone.size + state.opaque.size === 0) return;
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const args = [
    '--extract',
    '--numeric-owner',
    '--same-permissions',
    '--xattrs',
    '--xattrs-include=trusted.overlay.opaque',
  ];
  await exec('tar', [...args, '-C', state.into], { input: Buffer.concat(chunks) });
}

// POSIX ustar headers with pax records for what does not fit (IEEE 1003.1, pax). Only what a layer's digest needs.

export type TarEntry = {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly linkTarget?: string;
};

/** 1980-01-01T00:00:01Z, the time every entry of a layer carries, so that equal content has an equal digest. */
const mtime = 315_532_801;
const flags = { file: '0', directory: '5', symlink: '2' } as const;

/** The header blocks in front of an entry's content; a multiple of 512 bytes. */
export function tarHeader(entry: TarEntry): Buffer {
  const records = [
    ...(fits(entry.path, 100) ? [] : [record('path', entry.path)]),
    ...(fits(entry.linkTarget ?? '', 100) ? [] : [record('linkpath', entry.linkTarget ?? '')]),
    ...(entry.size < 8 ** 11 ? [] : [record('size', String(entry.size))]),
  ];
  if (records.length === 0) return block(entry, flags[entry.type]);
  const body = Buffer.concat(records);
  const pax = { path: 'pax', type: 'file', mode: 0o644, uid: 0, gid: 0, size: body.length } as const;
  return Buffer.concat([block(pax, 'x'), body, padding(body.length), block(entry, flags[entry.type])]);
}

/** Zeros up to the next 512-byte border. */
export function padding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512);
}

function block(entry: TarEntry, flag: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(cut(entry.path, 100), 0, 'latin1');
  number(header, entry.mode & 0o7777, 100, 8);
  number(header, entry.uid, 108, 8);
  number(header, entry.gid, 116, 8);
  number(header, entry.size < 8 ** 11 ? entry.size : 0, 124, 12);
  number(header, mtime, 136, 12);
  header.write(`        ${flag}`, 148, 'latin1');
  header.write(cut(entry.linkTarget ?? '', 100), 157, 'latin1');
  header.write('ustar\0' + '00', 257, 'latin1');
  number(header, 0, 329, 8);
  number(header, 0, 337, 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function number(header: Buffer, value: number, offset: number, length: number): void {
  header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

function fits(text: string, bytes: number): boolean {
  return Buffer.byteLength(text) <= bytes;
}

function cut(text: string, bytes: number): string {
  return Buffer.from(text).subarray(0, bytes).toString('latin1');
}

function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

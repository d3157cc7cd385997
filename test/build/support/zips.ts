import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a zip archive; what is set beside its name and text is what a liar would write. */
export type Zipped = {
  readonly name: string | Buffer;
  readonly text?: string | Buffer;
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly size?: number;
  readonly crc?: number;
  /** In its own header, in front of its bytes. */
  readonly localName?: string;
  /** Whose bytes it claims: an earlier entry's, by index. */
  readonly shares?: number;
};

/** A zip archive as Unix programs write it, deflated unless told. */
export function zipOf(entries: readonly Zipped[], end: { count?: number; comment?: string } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const text = Buffer.from(entry.text ?? '');
    const method = entry.method ?? 8;
    const data = method === 8 ? deflateRawSync(text) : text;
    const name = Buffer.from(entry.name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(entry.flags ?? 0, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(entry.crc ?? crc32(text), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(entry.size ?? text.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const at = entry.shares === undefined ? offset : (offsets[entry.shares] ?? 0);
    offsets.push(at);
    if (entry.shares === undefined) {
      const local = Buffer.from(entry.localName ?? name);
      const own = Buffer.from(fields);
      own.writeUInt16LE(local.length, 22);
      const all = Buffer.concat([Buffer.from('PK\x03\x04'), own, local, data]);
      locals.push(all);
      offset += all.length;
    }
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03'), fields, rest, name);
  }
  const entriesPart = Buffer.concat(directory);
  const comment = Buffer.from(end.comment ?? '');
  const record = Buffer.alloc(18);
  for (const at of [4, 6]) record.writeUInt16LE(end.count ?? entries.length, at);
  record.writeUInt32LE(entriesPart.length, 8);
  record.writeUInt32LE(offset, 12);
  record.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...locals, entriesPart, Buffer.from('PK\x05\x06'), record, comment]);
}

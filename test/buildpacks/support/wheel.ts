import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export type Wheel = {
  readonly name: string;
  readonly version: string;
  /** Modules by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Requirements of the package, as pip writes them. */
  readonly requires?: readonly string[];
  /** Programs: `gunicorn = "gunicorn:main"`. */
  readonly programs?: Readonly<Record<string, string>>;
};

/** A package for pip, made by hand where no index can be reached. */
export function writeWheel(dir: string, wheel: Wheel): { file: string; sha256: string } {
  const { name, version, requires = [], programs = {} } = wheel;
  const info = `${name}-${version}.dist-info`;
  const metadata = [`Metadata-Version: 2.1`, `Name: ${name}`, `Version: ${version}`].concat(
    requires.map(requirement => `Requires-Dist: ${requirement}`),
  );
  const scripts = Object.entries(programs).map(([program, place]) => `${program} = ${place}`);
  const files: Record<string, string> = {
    ...wheel.files,
    [`${info}/METADATA`]: `${metadata.join('\n')}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/entry_points.txt`]: `[console_scripts]\n${scripts.join('\n')}\n`,
  };
  const record = Object.keys(files).map(path => `${path},,\n`);
  files[`${info}/RECORD`] = `${record.join('')}${info}/RECORD,,\n`;
  const content = zip(files);
  const file = `${name}-${version}-py3-none-any.whl`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, file), content);
  return { file, sha256: createHash('sha256').update(content).digest('hex') };
}

/** An archive of text files, stored as they are. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, data] = [Buffer.from(path), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8); // 1 January 1980
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    locals.push(Buffer.from('PK\x03\x04'), common, name, data);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, rest, name);
    offset += 4 + common.length + name.length + data.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  for (const at of [4, 6]) end.writeUInt16LE(Object.keys(files).length, at);
  end.writeUInt32LE(entries.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, entries, Buffer.from('PK\x05\x06'), end]);
}

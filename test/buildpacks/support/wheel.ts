import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zip } from './zip.ts';

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

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const folder = new URL('../../fixtures/gems', import.meta.url).pathname;

export type Gem = {
  /** Folder in test/fixtures/gems; the gem's name unless told. */
  readonly from?: string;
  readonly name: string;
  readonly version: string;
};

/** Writes a gem as `gem build` makes it into an app's vendor/cache. */
export async function cacheGem(app: string, { from, name, version }: Gem): Promise<void> {
  const dir = join(folder, from ?? name);
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(file => statSync(join(dir, file)).isFile())
    .sort();
  const data = await archive(files.map(file => [file, readFileSync(join(dir, file))]));
  const gem = await archive([
    ['metadata.gz', gzipSync(specification(name, version, files))],
    ['data.tar.gz', gzipSync(data)],
  ]);
  mkdirSync(join(app, 'vendor/cache'), { recursive: true });
  writeFileSync(join(app, 'vendor/cache', `${name}-${version}.gem`), gem);
}

function specification(name: string, version: string, files: readonly string[]): string {
  const list = (key: string, items: readonly string[]) =>
    items.length === 0 ? `${key}: []` : [`${key}:`, ...items.map(item => `- ${item}`)].join('\n');
  const any =
    '!ruby/object:Gem::Requirement\n  requirements:\n  - - ">="\n    - !ruby/object:Gem::Version\n      version: \'0\'';
  const programs = files.filter(file => file.startsWith('exe/')).map(file => file.slice('exe/'.length));
  return `--- !ruby/object:Gem::Specification
name: ${name}
version: !ruby/object:Gem::Version
  version: ${version}
platform: ruby
authors:
- Wherry
bindir: exe
date: 2024-01-01 00:00:00.000000000 Z
dependencies: []
${list('executables', programs)}
${list(
  'extensions',
  files.filter(file => file.endsWith('extconf.rb')),
)}
extra_rdoc_files: []
${list('files', files)}
licenses: []
metadata: {}
require_paths:
- lib
required_ruby_version: ${any}
required_rubygems_version: ${any}
rubygems_version: 3.3.15
specification_version: 4
summary: For a test
`;
}

async function archive(files: readonly (readonly [string, Buffer])[]): Promise<Buffer> {
  const writer = pack();
  for (const [name, content] of files) writer.entry({ name, mode: 0o644, mtime: new Date(0) }, content);
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

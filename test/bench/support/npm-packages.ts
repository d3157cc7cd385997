import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export type NpmPackage = {
  readonly name: string;
  readonly tarball: Buffer;
  /** As a lock file holds it. */
  readonly integrity: string;
};

/** Files of each package, beside its manifest. */
const files = 8;

/** Small packages that differ in name and content: the same ones in every run and process. */
export async function makePackages(count: number): Promise<readonly NpmPackage[]> {
  const made: NpmPackage[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `bench-package-${number}`;
    const tarball = gzipSync(await tarOf(name), { level: 6 });
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    made.push({ name, tarball, integrity });
  }
  return made;
}

/** `package.json` and `package-lock.json` of an app that depends on all of them. */
export function manifestsFor(packages: readonly NpmPackage[], registry: string) {
  const dependencies = Object.fromEntries(packages.map(({ name }) => [name, '1.0.0']));
  const app = { name: 'bench', version: '1.0.0' };
  const locked = packages.map(({ name, integrity }) => [
    `node_modules/${name}`,
    { version: '1.0.0', resolved: `${registry}/${name}/-/${name}-1.0.0.tgz`, integrity },
  ]);
  const lock = {
    ...app,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { ...app, dependencies }, ...Object.fromEntries(locked) },
  };
  return {
    'package.json': JSON.stringify({ ...app, main: 'server.js', dependencies }),
    'package-lock.json': JSON.stringify(lock),
  };
}

async function tarOf(name: string): Promise<Buffer> {
  const archive = pack();
  const manifest = JSON.stringify({ name, version: '1.0.0', main: 'index.js', license: 'MIT' });
  archive.entry({ name: 'package/package.json', mtime: new Date(0) }, manifest);
  for (let file = 0; file < files; file += 1) {
    const text = `exports.value = '${name} ${file}';\n`.repeat(20 + file * 10);
    archive.entry(
      { name: `package/${file === 0 ? 'index' : `lib/part-${file}`}.js`, mtime: new Date(0) },
      text,
    );
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

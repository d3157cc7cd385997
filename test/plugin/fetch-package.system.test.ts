import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchPackage, parsePackage } from '../../src/plugin/fetch-package.ts';

let dir: string;
let registry: Server;
const before = process.env['npm_config_registry'];

/** A registry with one package, whose scripts would leave a trace. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-fetch-'));
  chmodSync(dir, 0o755);
  const about = {
    ...{ name: 'wherry-greet', version: '1.2.0', wherry: { plugin: 'greet', api: 1 } },
    scripts: { preinstall: `touch ${dir}/ran`, install: 'touch ran', postinstall: `touch ${dir}/ran` },
    peerDependencies: { wherry: '*' },
  };
  const tar = pack();
  tar.entry({ name: 'package/package.json' }, JSON.stringify(about));
  tar.entry({ name: 'package/index.js' }, 'export default 1;\n');
  tar.finalize();
  const tarball = await buffer(tar.pipe(createGzip()));
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  registry = createServer((request, response) => {
    const base = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
    if (request.url?.endsWith('.tgz')) return response.end(tarball);
    if (request.url !== '/wherry-greet') return response.writeHead(404).end('{}');
    const dist = { tarball: `${base}/greet.tgz`, integrity };
    return response.end(
      JSON.stringify({
        ...{ name: about.name, 'dist-tags': { latest: '1.2.0' }, versions: { '1.2.0': { ...about, dist } } },
      }),
    );
  });
  await new Promise<void>(resolve => registry.listen(0, '127.0.0.1', resolve));
  process.env['npm_config_registry'] = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  if (before === undefined) delete process.env['npm_config_registry'];
  else process.env['npm_config_registry'] = before;
  await new Promise(resolve => registry.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

describe('a package of npm', () => {
  const how = () => ({ into: dir, caFile: '', signal: new AbortController().signal });

  it('comes by nobody, and none of its scripts runs', async () => {
    const path = await fetchPackage(parsePackage('wherry-greet@1.2.0'), how());
    expect(readFileSync(join(path, 'index.js'), 'utf8')).toBe('export default 1;\n');
    expect(statSync(join(path, 'index.js')).uid).toBeGreaterThan(0);
    expect([existsSync(join(dir, 'ran')), existsSync(join(path, 'ran'))]).toEqual([false, false]);
  });

  it('that is not there is told so', async () => {
    await expect(fetchPackage(parsePackage('wherry-none'), how())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Package wherry-none could not be fetched'),
    });
  });
});

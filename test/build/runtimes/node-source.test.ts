import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore } from '../../../src/build/index.ts';
import { npmIn, provideNode } from '../../../src/build/runtimes/node.ts';
import { distribution, type NodeSource } from '../../../src/build/runtimes/node-source.ts';
import { arch } from '../../../src/build/runtimes/shared-layer.ts';
import { WherryError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { must } from '../../support/run.ts';

let root: string;
let mirror: Awaited<ReturnType<typeof openMirror>>;
let said: string[];
let now: number;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-node-'));
  mirror = await openMirror(join(root, 'mirror'));
  await mirror.add('24.1.0');
  said = [];
  now = 1_800_000_000_000;
});
afterEach(async () => {
  await mirror.close();
  rmSync(root, { recursive: true, force: true });
});

const clock = { ...systemClock, now: () => new Date(now) };
const keep = (text: string) => void said.push(text);
const context = { progress: { header: keep, step: keep, detail: keep, warn: keep, raw: keep } };
const from = (url: string) =>
  distribution({
    url,
    dir: join(root, 'cache', 'runtimes'),
    clock,
    allowed: new Set([new URL(url).host]),
  });
const options = (...sources: readonly NodeSource[]) => {
  const paths = createPaths({ data: join(root, 'data'), cache: join(root, 'cache') });
  return { paths, layers: createLayerStore(paths), clock, sources };
};
const silent: NodeSource = {
  title: 'nowhere',
  versions: async () => {
    throw new WherryError('unavailable', 'Nowhere does not answer. Wait.');
  },
  unpack: async () => {
    throw new Error('is never asked');
  },
};

describe("a distribution of Node of the form of nodejs.org (a server on loopback stands in for the project's)", () => {
  it('gives Node with its npm, checked against SHASUMS256.txt', async () => {
    const all = options(from(mirror.url));
    const { layer, version } = await provideNode(all, '24.x', context);
    expect(version).toBe('24.1.0');
    expect(npmIn(all.layers, layer)).toBe('11.3.0');
    const node = join(all.layers.layerPath(layer), 'layers/wherry_runtime/node');
    expect(readFileSync(join(node, 'bin/node'), 'utf8')).toBe('node 24.1.0');
    expect(existsSync(join(node, 'include'))).toBe(false);
    expect(said.join()).toContain(`Downloading Node 24.1.0 from ${mirror.host}`);
  });

  it('is not asked again for a version that is on disk, be its list as old as it may', async () => {
    const all = options(from(mirror.url));
    await provideNode(all, '24.1.0', context);
    const before = mirror.requests.length;
    now += 30 * 86_400_000;
    await mirror.close();
    await provideNode(all, '24.1.0', context);
    await provideNode(all, '24.x', context);
    await provideNode(all, '', context);
    expect(mirror.requests.length).toBe(before);
  });

  it('is asked anew for a version that its known list lacks', async () => {
    const all = options(from(mirror.url));
    await provideNode(all, '24.x', context);
    await mirror.add('24.2.0');
    now += 120_000;
    expect((await provideNode(all, '24.2.0', context)).version).toBe('24.2.0');
  });

  it('is refused when an archive is not what SHASUMS256.txt says, and no other source is taken for it', async () => {
    await mirror.add('22.1.0', { spoiled: true });
    const build = provideNode(options(from(mirror.url), silent), '22', context);
    await expect(build).rejects.toThrow(/node-v22\.1\.0-linux-.*is not what its SHASUMS256\.txt says/);
  });

  it('is passed over when it does not answer, which is told', async () => {
    await provideNode(options(silent, from(mirror.url)), '24', context);
    expect(said).toContain(`nowhere cannot be reached: Node comes from ${mirror.host}.`);
  });

  it('that lacks the version leaves it to the next', async () => {
    const other = await openMirror(join(root, 'other'));
    await other.add('20.5.0');
    try {
      const { version } = await provideNode(options(from(mirror.url), from(other.url)), '20', context);
      expect(version).toBe('20.5.0');
    } finally {
      await other.close();
    }
  });

  it('is named with the setting when nothing can be reached', async () => {
    await expect(provideNode(options(silent), '', context)).rejects.toThrow(
      "Node cannot be downloaded: nowhere cannot be reached. Check the host's network, or set WHERRY_NODE_MIRROR.",
    );
  });

  it('says what can be had when nobody has the version', async () => {
    await expect(provideNode(options(from(mirror.url)), '99', context)).rejects.toThrow(
      'Node version "99" cannot be had. Set engines.node in package.json to one of 24.x.',
    );
  });
});

/** index.json, and a folder a version with an archive and its sum. */
async function openMirror(dir: string) {
  mkdirSync(dir, { recursive: true });
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const file = join(dir, request.url ?? '');
    response.writeHead(existsSync(file) ? 200 : 404);
    response.end(existsSync(file) ? readFileSync(file) : '');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const index: { version: string; files: string[] }[] = [];
  return {
    host,
    url: `http://${host}`,
    requests,
    async add(version: string, { spoiled = false } = {}) {
      const name = `node-v${version}-linux-${arch}`;
      const files = join(dir, 'work', name);
      for (const folder of ['bin', 'include/node', 'lib/node_modules/npm/bin'])
        mkdirSync(join(files, folder), { recursive: true });
      writeFileSync(join(files, 'bin/node'), `node ${version}`);
      writeFileSync(join(files, 'lib/node_modules/npm/package.json'), '{"version":"11.3.0"}');
      const archive = join(dir, `v${version}`, `${name}.tar.gz`);
      mkdirSync(join(dir, `v${version}`), { recursive: true });
      await must('tar', ['-czf', archive, '-C', join(dir, 'work'), name]);
      const sum = createHash('sha256')
        .update(spoiled ? 'other' : readFileSync(archive))
        .digest('hex');
      writeFileSync(join(dir, `v${version}`, 'SHASUMS256.txt'), `${sum}  ${name}.tar.gz\n`);
      index.unshift({ version: `v${version}`, files: [`linux-${arch}`] });
      writeFileSync(join(dir, 'index.json'), JSON.stringify(index));
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

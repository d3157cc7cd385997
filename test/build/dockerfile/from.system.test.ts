import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from '../../../src/build/registry/challenge.ts';
import { archiveImage } from '../../../src/build/stack/archive-image.ts';
import { createStack } from '../../../src/build/stack/stack.ts';
import { readBuildOptions } from '../../../src/domain/docker-option.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { type BuildBench, type BuildOptions, openBench } from '../support/bench.ts';
import { archiveOf, systemLayer, tarOf, writeImage } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// FROM images of a registry of the tests' own on loopback, built upon for real.

let bench: BuildBench;
let open: RegistryHost;
let locked: RegistryHost;
let system: Buffer;
let empty: string;
let login: Credentials | undefined;
const ann = { user: 'ann', password: 'pass:word' };

beforeAll(async () => {
  open = await openRegistryHost();
  locked = await openRegistryHost({ login: { ...ann, by: 'bearer' } });
  bench = await openBench({
    allowHosts: `${open.host},${locked.host}`,
    credentials: (_, registry) => (registry === locked.host ? login : undefined),
  });
  empty = mkdtempSync(join(bench.paths.data, 'empty-'));
  system = await systemLayer();
}, 300_000);
afterAll(async () => {
  await bench.close();
  await open.close();
  await locked.close();
});
beforeEach(() => {
  open.requests.length = 0;
  login = undefined;
});

const file = async (name: string, text: string) => await tarOf([{ name, text }]);
const build = async (app: string, lines: readonly string[], options: BuildOptions = {}) =>
  await bench.build(empty, {
    ...options,
    app: parseAppName(app),
    change: dir => writeFileSync(join(dir, 'Dockerfile'), `${lines.join('\n')}\n`),
  });
const said = ({ output }: { output: readonly string[] }) => output.join('\n');
/** As when nobody used it for two weeks. */
async function forgetCached(digest: string): Promise<void> {
  const home = join(bench.paths.cache, 'images');
  for (const name of readdirSync(home)) {
    const index = join(home, name, 'index.json');
    if (existsSync(index) && readFileSync(index, 'utf8').includes(digest))
      await rm(join(home, name), { recursive: true });
  }
}

describe('FROM an image of a registry', { timeout: 240_000 }, () => {
  it('is fetched by the daemon, with a history or without, and built upon without a word to its registry from inside', async () => {
    const config = { Env: ['BOAT=wherry'], User: 'sailor', Cmd: ['/bin/busybox', 'true'] };
    const created = '2026-01-02T03:04:05Z';
    const history = [{ created }, { created, empty_layer: true }];
    open.push('team/base', '1', { layers: [system], config, history, index: true });
    open.push('tools', 'latest', { layers: [await file('tool', 'a tool')] });
    const lines = [
      `FROM ${open.host}/team/base:1`,
      `COPY --from=${open.host}/tools /tool /tool`,
      'RUN echo "has $BOAT, $(/bin/busybox cat /tool), uid $(/bin/busybox id -u)"',
    ];
    const first = await build('base', lines);
    expect(said(first)).toContain('has wherry, a tool, uid 7000');
    expect(first.image).toMatchObject({ env: { BOAT: 'wherry' }, user: { uid: 7000, gid: 7001 } });
    const asked = open.requests.filter(line => line.includes('/blobs/'));
    expect(asked, 'each configuration and layer once').toHaveLength(4);
    open.requests.length = 0;
    expect((await build('base', lines)).sandboxes).toBe(0);
    const changed = await build('base', [...lines, 'RUN echo more']);
    expect(said(changed)).toContain('Using cache');
    expect(open.requests).toEqual([]);
  });

  it('keeps what its tag meant until a rebuild or --pull asks again', async () => {
    const push = async (text: string) =>
      open.push('moving', '1', { layers: [system, await file('which', text)], config: { Cmd: ['x'] } });
    const lines = [`FROM ${open.host}/moving:1`, 'RUN echo "it is $(/bin/busybox cat /which)"'];
    const pulling = { dockerfile: { options: readBuildOptions(['--pull']) } };
    const digest = await push('first');
    expect(said(await build('moving', lines))).toContain(digest);
    await push('second');
    expect((await build('moving', lines)).sandboxes).toBe(0);
    expect(said(await build('moving', [...lines, 'RUN /bin/busybox cat /which']))).toContain('\nfirst');
    expect(said(await build('moving', lines, pulling))).toContain('it is second');
    open.requests.length = 0;
    expect((await build('moving', lines, pulling)).sandboxes, 'the tag means the same').toBe(0);
    expect(open.requests).toEqual(['GET /v2/moving/manifests/1']);
    await push('third');
    expect(said(await build('moving', lines, { fresh: true }))).toContain('it is third');
  });

  it('by its digest is that one whatever the tag means', async () => {
    const config = { Cmd: ['x'] };
    const digest = open.push('pinned', '1', { layers: [system, await file('which', 'old')], config });
    open.push('pinned', '1', { layers: [system, await file('which', 'new')], config });
    const from = `FROM ${open.host}/pinned:1@${digest}`;
    expect(said(await build('pinned', [from, 'RUN echo "it is $(/bin/busybox cat /which)"']))).toContain(
      'it is old',
    );
  });

  it('takes the login that the app has, and names the command where it has none', async () => {
    locked.push('team/secret', '1', { layers: [system], config: { Cmd: ['x'] } });
    const lines = ['FROM scratch AS other', `FROM ${locked.host}/team/secret:1`, 'RUN echo let in'];
    await expect(build('locked', lines)).rejects.toMatchObject({
      code: 'access-denied',
      message: expect.stringContaining(
        `Dockerfile, line 2: image ${locked.host}/team/secret:1 cannot be had. Registry ${locked.host} lets nobody pull`,
      ),
      hint: expect.stringContaining('registry:login'),
    });
    login = ann;
    const built = await build('locked', lines);
    expect(said(built)).toContain('let in');
    expect(said(built)).not.toContain(ann.password);
  });

  it.each([
    ['the registry lacks', () => `${open.host}/none:1`, 'not-found', /has no none "1"/],
    ['is on a host that does not answer', () => 'registry.invalid/boat:1', 'unavailable', /cannot be found/],
    ['is on this host, which nobody allowed', () => 'localhost:9/boat:1', 'access-denied', /not fetched/],
    ['is on a metadata address', () => '169.254.169.254/boat:1', 'access-denied', /not fetched/],
  ])('is refused before a sandbox is opened when %s it', async (_, image, code, message) => {
    const before = bench.sandboxes.length;
    const building = build('absent', [`FROM ${image()}`, 'CMD ["true"]']);
    await expect(building).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`Dockerfile, line 1: image ${image()} cannot be had\\. `)),
    });
    await expect(building).rejects.toThrow(message);
    expect(bench.sandboxes).toHaveLength(before);
  });

  it('is refused when what comes is not what its digest says', async () => {
    open.push('changed', '1', { layers: [system], config: { Cmd: ['x'] } });
    open.mischief.change = (content, kind) => (kind === 'blob' ? Buffer.from('other') : content);
    try {
      await expect(build('changed', [`FROM ${open.host}/changed:1`])).rejects.toThrow('sent other content');
    } finally {
      delete open.mischief.change;
    }
  });

  it('that is gone from its registry since the last build is told with the way out', async () => {
    const digest = open.push('gone', '1', { layers: [system], config: { Cmd: ['x'] } });
    const lines = [`FROM ${open.host}/gone:1`, 'CMD ["true"]'];
    await build('gone', lines);
    await rm(join(bench.paths.builds, 'gone/containers'), { recursive: true });
    await forgetCached(digest);
    open.forget('gone');
    await expect(build('gone', [...lines, 'LABEL a=b'])).rejects.toMatchObject({
      message: expect.stringMatching(/gone:1 was sha256:\w+ when gone was last built/),
      hint: 'ps:rebuild gone',
    });
  });
});

describe('FROM another stack of this host', { timeout: 240_000 }, () => {
  it('is built upon as the stack is now', async () => {
    const stack = createStack({ paths: bench.paths, layers: bench.layers, clock });
    const name = `test-${randomBytes(4).toString('hex')}`;
    const progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
    const dir = mkdtempSync(join(bench.paths.data, 'stack-'));
    const layer = await systemLayer([
      { name: 'usr/lib/os-release', text: 'ID=alpine\nVERSION_ID="3"\n' },
      { name: 'var/lib/dpkg/status', text: '' },
      { name: 'which', text: 'of the stack' },
    ]);
    writeImage(dir, 'oci', { layers: [layer], config: { Env: ['PATH=/bin', 'COMPANY=yes'] } });
    const image = archiveImage(name, createReadStream(await archiveOf(dir, `${dir}.tar`)));
    await stack.import(name, { run: image, build: image }, { progress });
    try {
      const built = await build('stacked', [
        `FROM wherry/stack:${name}`,
        'RUN echo "$COMPANY $(/bin/busybox cat /which)"',
        'CMD ["x"]',
      ]);
      expect(said(built)).toContain('yes of the stack');
    } finally {
      await stack.remove(name);
    }
  });

  it('that there is not is refused naming the line', async () => {
    await expect(build('stackless', ['FROM wherry/stack:no-such', 'CMD ["x"]'])).rejects.toThrow(
      'Dockerfile, line 1: stack no-such cannot be had. There is no stack no-such on this host.',
    );
  });
});

import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore } from '../../../src/build/index.ts';
import { archiveImage } from '../../../src/build/stack/archive-image.ts';
import { createStack, type Stack } from '../../../src/build/stack/stack.ts';
import type { Progress } from '../../../src/domain/push.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { archiveOf, tarOf, writeImage } from '../support/oci-images.ts';

const progress: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
const context = { progress };

let dir: string;
let stack: Stack;
let layers: ReturnType<typeof createLayerStore>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-image-stack-'));
  const paths = createPaths({ data: join(dir, 'data'), cache: join(dir, 'cache') });
  for (const folder of [paths.data, paths.cache]) mkdirSync(folder, { recursive: true });
  layers = createLayerStore(paths);
  stack = createStack({ paths, layers, clock });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The archive of an image that calls itself Ubuntu of that version. */
async function send(kind: 'oci' | 'docker', version: string, curl = '1') {
  const layer = await tarOf([
    { name: 'usr/lib/os-release', text: `ID=ubuntu\nVERSION_ID="${version}"\n` },
    { name: 'etc/passwd', text: 'root:x:0:0::/root:/bin/sh\n' },
    {
      name: 'var/lib/dpkg/status',
      text: `Package: curl\nStatus: install ok installed\nVersion: ${curl}\n`,
    },
  ]);
  const made = mkdtempSync(join(dir, 'image-'));
  const labels = { 'io.buildpacks.base.id': 'company-24' };
  writeImage(made, kind, { layers: [layer], config: { Env: ['PATH=/opt/bin:/bin'], Labels: labels } });
  return archiveImage('company', createReadStream(await archiveOf(made, `${made}.tar`)));
}

describe('a stack of an image archive', () => {
  it.each(['oci', 'docker'] as const)('is what the %s image says, with the user of apps', async kind => {
    const image = await send(kind, '24.04');
    const { generation, made } = await stack.import('company', { run: image, build: image }, context);
    expect([made, generation.number]).toEqual([true, 1]);
    expect(generation).toMatchObject({
      id: 'company-24',
      distro: { name: 'ubuntu', version: '24.04' },
      env: { PATH: '/opt/bin:/bin', HOME: '/home/app' },
      packages: { run: { curl: '1' }, build: { curl: '1' } },
    });
    const top = layers.layerPath(generation.run.at(-1) ?? 'sha256:');
    expect(readFileSync(join(top, 'etc/passwd'), 'utf8')).toMatch(/^root:.*\napp:x:1000:1000:/);
    expect(await stack.generation({ progress, base: 'company' })).toEqual(generation);
  });

  it('is a next generation where a package is newer, and refuses two halves of other distributions', async () => {
    const first = await send('oci', '24.04');
    await stack.import('company', { run: first, build: first }, context);
    const newer = await send('oci', '24.04', '2');
    const next = await stack.import('company', { run: newer, build: newer }, context);
    expect([next.made, next.generation.number, next.changed]).toEqual([true, 2, ['curl']]);
    const other = await send('oci', '22.04');
    await expect(stack.import('company', { build: other }, context)).rejects.toThrow(
      /run image of stack company is of ubuntu 24\.04 and its build image of ubuntu 22\.04/,
    );
    await expect(stack.import('fresh', { build: other }, context)).rejects.toThrow('has no run image yet');
  });
});

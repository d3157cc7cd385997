import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPins } from '../../../src/build/pins.ts';
import type { BuildLimits } from '../../../src/domain/build-limits.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { must } from '../../support/run.ts';
import { type BuildBench, openBench } from '../support/bench.ts';
import { systemLayer, tarOf } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// What takes little room where it lies and much where it is written; and what reaches out of a build, seen from inside.

let bench: BuildBench;
let host: RegistryHost;
let system: Buffer;
let empty: string;
const app = parseAppName('bombs');
const mib = 2 ** 20;

beforeAll(async () => {
  host = await openRegistryHost();
  bench = await openBench({ allowHosts: host.host });
  empty = mkdtempSync(join(bench.paths.data, 'empty-'));
  system = await systemLayer();
  host.push('plain', 'latest', { layers: [system] });
}, 300_000);
afterAll(async () => {
  await bench.close();
  await host.close();
});

const build = async (lines: readonly string[], from = 'plain', limits: Partial<BuildLimits> = {}) =>
  await bench.build(empty, {
    app,
    limits: { disk: 64 * mib, time: 120_000, ...limits },
    change: dir =>
      writeFileSync(
        join(dir, 'Dockerfile'),
        [`FROM ${host.host}/${from}`, ...lines, 'CMD ["x"]', ''].join('\n'),
      ),
  });
/** A layer with a file of a tebibyte that is one hole. */
async function sparseLayer(): Promise<Buffer> {
  const dir = mkdtempSync(join(bench.paths.data, 'sparse-'));
  await must('truncate', ['--size=1T', join(dir, 'hole')]);
  await must('tar', ['--create', '--sparse', `--file=${dir}.tar`, '-C', dir, 'hole']);
  await rm(dir, { recursive: true });
  return readFileSync(`${dir}.tar`);
}

describe('a Dockerfile', { timeout: 180_000 }, () => {
  it.each([
    ['a sparse file of a tebibyte', ['RUN /bin/busybox dd if=/dev/null of=/hole bs=1M seek=1048576']],
    [
      'hard links that are more than the disk',
      [
        'RUN /bin/busybox dd if=/dev/urandom of=/a bs=1M count=16 && i=0 && while [ $i -lt 400 ]; do /bin/busybox ln /a /$i; i=$((i + 1)); done',
      ],
    ],
    ['more zeros than are allowed', ['RUN /bin/busybox dd if=/dev/zero of=/zeros bs=1M count=300']],
  ])('that makes %s ends at the disk limit', async (_, lines) => {
    await expect(build(lines)).rejects.toThrow('disk limit of 64m');
    expect(Number((await must('du', ['-sm', bench.paths.data])).split('\t')[0])).toBeLessThan(1000);
  });

  it('FROM an image with much behind little ends at the disk limit', async () => {
    const zeros = await tarOf([{ name: 'zeros', text: Buffer.alloc(400 * mib) }]);
    host.push('bomb', 'latest', { layers: [system, zeros] });
    await rm(join(bench.paths.builds, app), { recursive: true, force: true });
    await expect(build(['RUN true'], 'bomb')).rejects.toThrow('disk limit of 64m');
    expect(existsSync(join(bench.paths.builds, app, 'containers/storage'))).toBe(false);
  });

  it('FROM an image with a sparse file of a tebibyte is read until its time is over, and nothing is kept', async () => {
    host.push('hole', 'latest', { layers: [system, await sparseLayer()] });
    await expect(build(['RUN true'], 'hole', { time: 20_000 })).rejects.toThrow('time limit of 20s');
    expect(readPins(join(bench.paths.builds, app, 'containers/bases.json'))).toEqual({});
  });

  it('builds afterwards as if nothing was', async () => {
    expect((await build(['RUN echo fine'])).output.join('\n')).toContain('\nfine\n');
  });
});

describe('a step of a Dockerfile', { timeout: 180_000 }, () => {
  it('reaches neither metadata addresses nor this host', async () => {
    const { output } = await build([
      `RUN for url in http://169.254.169.254/latest/ http://${host.host}/v2/; do /bin/busybox wget -T 3 -q -O- "$url" && echo "REACHED $url"; done; true`,
    ]);
    expect(output.filter(line => line.startsWith('REACHED'))).toEqual([]);
  });

  it('by ADD of an address that turns out to be inside is not let there', async () => {
    const inside = `ADD http://localhost.localdomain:${host.host.split(':')[1]}/v2/ /x`;
    host.requests.length = 0;
    await expect(build([inside])).rejects.toThrow();
    expect(host.requests.filter(line => line === 'GET /v2/')).toEqual([]);
  });

  it.each([
    ['#syntax=evil.example.org/front', '#syntax='],
    ['RUN --mount=type=bind,source=/,target=/host ls', 'mounts nothing'],
    ['RUN --network=host true', 'a network of their own'],
    ['RUN --security=insecure true', 'is refused'],
    ['ADD http://169.254.169.254/latest/meta-data/ /x', 'inside this network'],
  ])('with %s is refused before a sandbox is opened', async (line, message) => {
    const before = bench.sandboxes.length;
    const change = (dir: string) => {
      const lines = [`FROM ${host.host}/plain`, 'CMD ["x"]'];
      const text = line.startsWith('#') ? [line, ...lines] : [...lines, line];
      writeFileSync(join(dir, 'Dockerfile'), `${text.join('\n')}\n`);
    };
    await expect(bench.build(empty, { app, change })).rejects.toThrow(message);
    expect(bench.sandboxes).toHaveLength(before);
  });
});

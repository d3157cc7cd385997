import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';
import { zip } from './support/zip.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const app = (name: string) => parseAppName(name);
const ferry = join(fixtures, 'go');
const limits = { memory: 2 * 2 ** 30 };

describe('a Go app with a module in vendor/ (the module proxy is out of reach of tests)', () => {
  it('is compiled into one program named after its module, which answers without Go in its image', async () => {
    const { image, output } = await bench.build(ferry, { app: app('ferry'), limits });
    expect(output.join('\n')).toContain('Modules come from vendor/');
    expect(image.processes).toMatchObject([{ type: 'web', command: ['ferry'] }]);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from Go\n');
    });
    const files = image.layers.map(layer => bench.layers.layerPath(layer));
    expect(files.some(dir => existsSync(join(dir, 'usr/lib/go-1.19')))).toBe(false);
  });

  it('compiles only what changed on the next push, which gives the same image for the same tree', async () => {
    const first = await bench.build(ferry, { app: app('warm'), limits });
    const edited = await bench.build(ferry, {
      app: app('warm'),
      limits,
      change: dir => edit(dir, 'main.go', text => text.replace('"Go"', '"Go again"')),
    });
    expect(edited.ms).toBeLessThan(first.ms * 0.6);
    const changed = edited.image.layers.filter(layer => !first.image.layers.includes(layer));
    expect(changed).toHaveLength(2);
    await bench.run(edited.image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from Go again\n');
    });
    const back = await bench.build(ferry, { app: app('warm'), limits });
    expect(back.image).toEqual(first.image);
  });

  it('runs the program of cmd/ that is named for the web, beside others that a Procfile may name', async () => {
    const { image } = await bench.build(ferry, {
      app: app('fleet'),
      limits,
      change: dir => {
        for (const name of ['server', 'migrate']) {
          mkdirSync(join(dir, 'cmd', name), { recursive: true });
          const text = readFileSync(join(dir, 'main.go'), 'utf8').replace('"Go"', JSON.stringify(name));
          writeFileSync(join(dir, 'cmd', name, 'main.go'), text);
        }
        rmSync(join(dir, 'main.go'));
        writeFileSync(join(dir, 'Procfile'), 'other: migrate\n');
      },
    });
    expect(image.processes.map(({ type }) => type)).toEqual(['other', 'web']);
    for (const [type, text] of [
      ['web', 'Hello from server\n'],
      ['other', 'Hello from migrate\n'],
    ] as const) {
      await bench.run(image, type, async base => {
        expect(await (await fetchSoon(base)).text()).toBe(text);
      });
    }
  });

  it('downloads modules once, through the proxy it is told of (a folder here), and keeps them for later builds', async () => {
    const config = { GOPROXY: 'file:///workspace/proxy', GOFLAGS: '-mod=mod', GOSUMDB: 'off' };
    const build = async (change: (dir: string) => void) =>
      await bench.build(ferry, { app: app('proxied'), limits, config, change });
    const { image } = await build(dir => {
      moveToProxy(dir);
    });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from Go\n');
    });
    const again = await build(dir => {
      rmSync(join(dir, 'vendor'), { recursive: true });
      edit(dir, 'main.go', text => text.replace('"Go"', '"cache"'));
    });
    expect(again.output.join('\n')).not.toContain('downloading');
    await bench.run(again.image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from cache\n');
    });
  });

  it.each([
    ['go 1.22.1', 'go.mod asks for Go 1.22.1, which cannot be had: this host has Go 1.19.'],
    [
      'go 1.18\n\ntoolchain go1.21.0',
      'go.mod asks for Go 1.21.0, which cannot be had: this host has Go 1.19.',
    ],
    ['go 1.19.3', 'go.mod asks for Go 1.19.3, which Go 1.19 does not read. Write "go 1.19".'],
    ['go one', 'go.mod names Go version "one", which is no version of Go.'],
  ])('refuses %j in go.mod and says what can be had', async (line, message) => {
    const build = bench.build(ferry, {
      app: app('new'),
      change: dir => edit(dir, 'go.mod', text => text.replace('go 1.18', line)),
    });
    await expect(build).rejects.toThrow(message);
  });

  it('says how to mend vendor/, a module that is not there, and code that does not compile', async () => {
    const build = (change: (dir: string) => void) =>
      bench.build(ferry, { app: app('broken'), limits, change });
    const drifted = build(dir => edit(dir, 'go.mod', text => text.replace('v1.2.0', 'v1.3.0')));
    await expect(drifted).rejects.toThrow(
      'vendor/ is out of step with go.mod. Run go mod vendor and commit vendor/.',
    );
    const missing = build(dir => rmSync(join(dir, 'vendor'), { recursive: true }));
    await expect(missing).rejects.toThrow('Run go mod tidy and commit both.');
    const wrong = build(dir => edit(dir, 'main.go', text => text.replace('log.Fatal', 'log.Fetal')));
    await expect(wrong).rejects.toMatchObject({
      message: 'Compiling the app failed. Its output is above.',
      output: expect.arrayContaining([expect.stringContaining('log.Fetal')]),
    });
  });
});

function edit(dir: string, name: string, change: (text: string) => string): void {
  const file = join(dir, name);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** The module of vendor/ in a folder that Go can use as a proxy. */
function moveToProxy(dir: string): void {
  const source = readFileSync(join(dir, 'vendor/example.org/greeting/greeting.go'), 'utf8');
  rmSync(join(dir, 'vendor'), { recursive: true });
  const versions = join(dir, 'proxy/example.org/greeting/@v');
  mkdirSync(versions, { recursive: true });
  const manifest = 'module example.org/greeting\n\ngo 1.18\n';
  const root = 'example.org/greeting@v1.2.0';
  writeFileSync(join(versions, 'v1.2.0.info'), '{"Version":"v1.2.0"}');
  writeFileSync(join(versions, 'v1.2.0.mod'), manifest);
  writeFileSync(
    join(versions, 'v1.2.0.zip'),
    zip({ [`${root}/go.mod`]: manifest, [`${root}/greeting.go`]: source }),
  );
}

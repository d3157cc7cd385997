import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExplanation } from '../../src/build/explain/explanation.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { exec } from '../../src/system/exec.ts';
import { type BuildBench, type BuildOptions, fetchSoon, fixtures, openBench } from './support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const app = (name: string) => parseAppName(name);
const express = join(fixtures, 'express');

describe('an Express app with a lock file', () => {
  it('builds into an image that answers requests as a user who is not root', async () => {
    const { image, output } = await bench.build(express, { app: app('express') });
    expect(image.processes.map(({ type }) => type)).toEqual(['web', 'worker']);
    expect(output.join('\n')).toContain('npm ci');
    await bench.run(image, 'web', async base => {
      expect((await fetchSoon(base)).status).toBe(200);
    });
  });

  it('is built again after a code change without any container, sharing every other layer', async () => {
    const before = await bench.build(express, { app: app('express') });
    const after = await bench.build(express, {
      app: app('express'),
      change: dir => appendFileSync(join(dir, 'server.js'), '\n// one more line\n'),
    });
    expect(after.sandboxes).toBe(0);
    expect(after.image.id).not.toBe(before.image.id);
    const changed = after.image.layers.filter(layer => !before.image.layers.includes(layer));
    expect(changed).toHaveLength(1);
    expect(after.output.join('\n')).toMatch(
      /Reusing dependencies: package\.json, package-lock\.json are unchanged/,
    );
    expect(
      readFileSync(join(bench.layers.layerPath(changed[0] ?? 'sha256:'), 'workspace/server.js'), 'utf8'),
    ).toContain('one more line');
  });

  it('gives the same image for the same tree, also built afresh or by another app', async () => {
    const first = await bench.build(express, { app: app('express') });
    const fresh = await bench.build(express, { app: app('express'), fresh: true });
    expect(fresh.sandboxes).toBeGreaterThan(0);
    expect(fresh.image).toEqual(first.image);
    expect(fresh.output.join('\n')).toContain('Reusing dependencies (deps)');
    const other = await bench.build(express, { app: app('other') });
    expect(other.image.id).toBe(first.image.id);
  });

  it('runs the buildpacks again, but not npm, when only the Procfile changed', async () => {
    await bench.build(express, { app: app('express') });
    const { image, output, sandboxes } = await bench.build(express, {
      app: app('express'),
      change: dir => writeFileSync(join(dir, 'Procfile'), 'web: node server.js\nclock: node worker.js\n'),
    });
    expect(sandboxes).toBe(1);
    expect(output.join('\n')).toContain('Building again: Procfile changed');
    expect(output.join('\n')).not.toContain('npm ci');
    expect(image.processes.map(({ type }) => type)).toEqual(['clock', 'web']);
  });

  it('tells why it is built, and what became of each layer', async () => {
    const built = async (options: Omit<BuildOptions, 'app' | 'explain'> = {}) => {
      const { output } = await bench.build(express, { app: app('told'), explain: true, ...options });
      return output.find(line => / runs(:| because:)/.test(line));
    };
    const fates = () =>
      Object.fromEntries(
        (readExplanation(bench.paths.builds, 'told')?.layers ?? []).map(({ layer, fate, by }) => [
          layer,
          `${fate} by ${by}`,
        ]),
      );
    expect(await built()).toBe('This build runs because: nothing is kept of a build before it');
    expect(fates()).toMatchObject({ source: 'new by wherry', 'wherry/nodejs:deps': 'new by wherry/nodejs' });
    expect(await built()).toBe('No build runs: nothing changed');
    expect(fates()).toMatchObject({ source: 'reused by wherry', 'wherry/nodejs:deps': 'reused by wherry' });
    const code = (dir: string) => appendFileSync(join(dir, 'server.js'), '// another line\n');
    expect(await built({ change: code, config: { GREETING: 'hello' } })).toMatch(
      /^No buildpack runs: none depends on what changed \(GREETING is new, the source changed/,
    );
    const lock = (dir: string) => {
      code(dir);
      appendFileSync(join(dir, 'package-lock.json'), '\n');
      writeFileSync(join(dir, 'Procfile'), 'web: node server.js\n');
    };
    const config = { GREETING: 'hello', NODE_ENV: 'production' };
    const because = await built({ change: lock, config });
    expect(because).toMatch(/^This build runs because: /);
    for (const words of ['package-lock.json changed', 'Procfile changed', 'NODE_ENV is new'])
      expect(because).toContain(words);
    expect(because).not.toContain('GREETING');
    expect(fates()).toMatchObject({ 'wherry/nodejs:deps': 'rebuilt by wherry/nodejs' });
    expect(await built({ change: lock, config, fresh: true })).toBe(
      'This build runs because: it was asked for',
    );
    expect(fates()).toMatchObject({ 'wherry/nodejs:deps': 'reused by wherry/nodejs' });
  });

  it('keeps config values out of layers, records and output', async () => {
    const secret = 'correct-horse-battery-staple';
    const { output } = await bench.build(express, {
      app: app('secretive'),
      config: { TOKEN: secret, NODE_ENV: secret },
    });
    expect(output.join('\n')).not.toContain(secret);
    const found = await exec('grep', ['-rlF', secret, bench.paths.data]).catch(error => error);
    expect(found.stdout).toBe('');
  });

  it('says which package drifted when the lock file is out of step', async () => {
    const drift = bench.build(express, {
      app: app('drifted'),
      change: dir => {
        const file = join(dir, 'package.json');
        const manifest = JSON.parse(readFileSync(file, 'utf8'));
        manifest.dependencies['is-odd'] = '^3.0.0';
        writeFileSync(file, JSON.stringify(manifest));
      },
    });
    await expect(drift).rejects.toThrow(
      /package-lock\.json is out of step with package\.json: is-odd@.* is missing from it\. Run npm install and commit package-lock\.json\./,
    );
    expect(readdirSync(join(bench.paths.builds, 'drifted'))).toEqual([]);
  });

  it('names what can be had when the Node version cannot', async () => {
    const build = bench.build(express, { app: app('old'), change: dir => setEngine(dir, '3.14') });
    await expect(build).rejects.toThrow(
      /Node version "3\.14" cannot be had\. Set engines\.node .* to one of .*24\.x/,
    );
  });

  it('says where a package.json does not parse', async () => {
    const change = (dir: string) => writeFileSync(join(dir, 'package.json'), '{\n  "name": "x",\n}');
    const build = bench.build(express, { app: app('broken'), change });
    await expect(build).rejects.toThrow(/^Invalid package\.json: .* at line 3, column 1\. Correct it\.$/);
  });
});

describe('an app with a build script', () => {
  const write = (dir: string) => {
    const manifest = {
      name: 'built',
      version: '1.0.0',
      scripts: { build: 'node build.js', start: 'node server.js' },
      dependencies: { ms: '2.1.3' },
      devDependencies: { 'is-number': '7.0.0' },
    };
    writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
    writeFileSync(
      join(dir, 'build.js'),
      "require('node:fs').writeFileSync('built.txt', String(require('is-number')(7)) + process.env.GREETING);\n",
    );
    const server = `
      const dev = () => { try { return require.resolve('is-number'); } catch { return 'pruned'; } };
      require('node:http').createServer((_, res) => {
        res.end([require('ms')(60000), require('node:fs').readFileSync('built.txt', 'utf8'), dev(), process.env.NODE_ENV].join(' '));
      }).listen(process.env.PORT);`;
    writeFileSync(join(dir, 'server.js'), server);
    for (const name of ['Procfile', 'package-lock.json', 'worker.js'])
      rmSync(join(dir, name), { force: true });
  };

  it('runs it with config and development dependencies, and keeps neither in the image', async () => {
    const { image, output } = await bench.build(express, {
      app: app('built'),
      config: { GREETING: '-hello' },
      change: write,
    });
    expect(output.join('\n')).toContain('There is no package-lock.json');
    expect(image.processes[0]?.command).toEqual(['node', 'server.js']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m true-hello pruned production');
    });
  });

  it('installs nothing again when only code changed', async () => {
    await bench.build(express, { app: app('built'), change: write });
    const { output, image } = await bench.build(express, {
      app: app('built'),
      config: { GREETING: '-hi' },
      change: dir => {
        write(dir);
        appendFileSync(join(dir, 'server.js'), '\n');
      },
    });
    expect(output.join('\n')).toContain('Reusing dependencies (build-deps)');
    expect(output.join('\n')).not.toContain('Installing');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m true-hi pruned production');
    });
  });
});

describe('an app with an addon of its own', () => {
  it('is compiled in the build and runs without compilers in its image', async () => {
    const write = (dir: string) => {
      const files = {
        'package.json': JSON.stringify({
          name: 'addon',
          version: '1.0.0',
          main: 'main.js',
          dependencies: { ms: '2.1.3' },
        }),
        'binding.gyp': '{ "targets": [{ "target_name": "boat", "sources": ["boat.c"] }] }',
        'boat.c': `#include <node_api.h>
          NAPI_MODULE_INIT() { napi_value s; napi_create_string_utf8(env, "compiled", NAPI_AUTO_LENGTH, &s); return s; }`,
        'main.js': `const text = require('./build/Release/boat.node') + require('ms')(1000);
          require('node:http').createServer((_, res) => res.end(text)).listen(process.env.PORT);`,
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      for (const name of ['Procfile', 'package-lock.json', 'server.js']) rmSync(join(dir, name));
    };
    const { image } = await bench.build(express, { app: app('addon'), change: write });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('compiled1s');
    });
    const files = image.layers.map(layer => bench.layers.layerPath(layer));
    expect(files.some(dir => existsSync(join(dir, 'usr/bin/gcc')))).toBe(false);
    expect(files.some(dir => existsSync(join(dir, 'layers/wherry_runtime/node/include')))).toBe(false);
  });
});

describe('a static site', () => {
  it('is served with types, ETags, ranges and its own 404 page, and hides what is not for visitors', async () => {
    const { image } = await bench.build(join(fixtures, 'static-site'), {
      app: app('site'),
      change: dir => writeFileSync(join(dir, '.env'), 'SECRET=1'),
    });
    await bench.run(image, 'web', async base => {
      const page = await fetchSoon(`${base}/`);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await page.text()).toContain('Hello from a static site');
      const etag = page.headers.get('etag') ?? '';
      expect((await fetch(`${base}/`, { headers: { 'if-none-match': etag } })).status).toBe(304);
      const part = await fetch(`${base}/style.css`, { headers: { range: 'bytes=0-1' } });
      expect([part.status, await part.text()]).toEqual([206, 'h1']);
      expect((await fetch(`${base}/img/boat.svg`)).headers.get('content-type')).toBe('image/svg+xml');
      const missing = await fetch(`${base}/nothing`);
      expect([missing.status, await missing.text()]).toEqual([
        404,
        expect.stringContaining('No such page on this site'),
      ]);
      expect((await fetch(`${base}/.env`)).status).toBe(403);
    });
  });

  it('is built again after a change without any container', async () => {
    await bench.build(join(fixtures, 'static-site'), { app: app('site') });
    const { sandboxes } = await bench.build(join(fixtures, 'static-site'), {
      app: app('site'),
      change: dir => writeFileSync(join(dir, 'style.css'), 'h1 {}'),
    });
    expect(sandboxes).toBe(0);
  });
});

describe('an app of a Procfile alone', () => {
  it('builds and runs with PORT and DYNO', async () => {
    const { image } = await bench.build(join(fixtures, 'script'), { app: app('script') });
    expect(image.processes.map(({ type }) => type)).toEqual(['web', 'worker']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe(
        'Hello from a script, uid 1000, in /workspace, DYNO web.1\n',
      );
    });
  });
});

describe('bad input and limits', () => {
  const script = join(fixtures, 'script');

  it('refuses a repository that no buildpack knows, and leaves nothing', async () => {
    const build = bench.build(script, { app: app('unknown'), change: dir => rmSync(join(dir, 'Procfile')) });
    await expect(build).rejects.toThrow('No buildpack can build this: add what its language is known by');
    expect(readdirSync(join(bench.paths.builds, 'unknown'))).toEqual([]);
  });

  it('refuses a bad Procfile and a bad app.json before any container starts', async () => {
    const before = bench.sandboxes.length;
    const build = (name: string, text: string) =>
      bench.build(script, { app: app('bad'), change: dir => writeFileSync(join(dir, name), text) });
    await expect(build('Procfile', 'web: x\nnonsense\n')).rejects.toThrow(
      'Invalid Procfile: line 2 "nonsense"',
    );
    await expect(build('app.json', '{\n  "a": }')).rejects.toThrow(
      /Invalid app\.json: .* at line 2, column 8/,
    );
    expect(bench.sandboxes.length).toBe(before);
  });

  it('stops a build that writes more than its disk limit', async () => {
    const build = bench.build(express, {
      app: app('greedy'),
      limits: { disk: 50 * 2 ** 20 },
      change: dir =>
        setBuildScript(dir, 'for i in $(seq 60); do head -c 10000000 /dev/zero > file$i; sleep 0.2; done'),
    });
    await expect(build).rejects.toThrow(
      'The build wrote more than its disk limit of 50m: let it write less, or raise the limit with: builds:set greedy disk 100m',
    );
  });

  it('says so when the disk of the host is full, and leaves nothing half made', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'wherry-full-'));
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', parent]);
    const full = await openBench({ parent });
    try {
      const build = full.build(script, {
        change: dir =>
          writeFileSync(join(dir, 'package.json'), '{"scripts":{"build":"cat /dev/zero > big"}}'),
      });
      await expect(build).rejects.toThrow('The disk of this host is full, so the build was given up.');
      expect(readdirSync(join(full.paths.builds, 'app'))).toEqual([]);
      const { image } = await full.build(script);
      expect(image.processes).toHaveLength(2);
    } finally {
      await full.close();
      await exec('umount', [parent]);
      rmSync(parent, { recursive: true });
    }
  });

  it('stops a build at its time limit and says which', async () => {
    const build = bench.build(express, {
      app: app('slow'),
      limits: { time: 12_000 },
      change: dir => setBuildScript(dir, 'sleep 100'),
    });
    await expect(build).rejects.toThrow('time limit of 12s');
  });

  it('stops when the caller gives up', async () => {
    const controller = new AbortController();
    const build = bench.build(express, {
      app: app('given-up'),
      signal: controller.signal,
      change: dir => setBuildScript(dir, 'sleep 100'),
    });
    setTimeout(() => controller.abort(), 3000);
    await expect(build).rejects.toThrow('The build was stopped.');
    expect(readdirSync(join(bench.paths.builds, 'given-up'))).toEqual([]);
  });

  it('deletes layers that nothing names any more and keeps the rest', async () => {
    const { image } = await bench.build(script, { app: app('kept') });
    const gone = await bench.build(script, { app: app('gone'), change: dir => mkdirSync(join(dir, 'more')) });
    await bench.builder.forget(app('gone'));
    await bench.builder.collect([]);
    expect(image.layers.every(layer => existsSync(bench.layers.layerPath(layer)))).toBe(true);
    expect(gone.image.layers.filter(layer => !bench.layers.has(layer))).toHaveLength(1);
  });
});

function setEngine(dir: string, node: string): void {
  edit(dir, manifest => {
    manifest['engines'] = { node };
  });
}

function setBuildScript(dir: string, build: string): void {
  edit(dir, manifest => {
    manifest['scripts'] = { build };
  });
}

function edit(dir: string, change: (manifest: Record<string, unknown>) => void): void {
  const file = join(dir, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
}

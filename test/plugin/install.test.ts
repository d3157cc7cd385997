import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePackage } from '../../src/plugin/fetch-package.ts';
import { type Bench, createBench } from '../commands/support.ts';

let dir: string;
let bench: Bench;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-install-'));
  bench = createBench();
  await bench.services.plugins.open();
});
afterEach(async () => {
  await bench.services.plugins.close();
  rmSync(dir, { recursive: true, force: true });
});

const manifest = { name: 'wherry-greet', version: '1.2.0', type: 'module', description: 'Greets' };
const greet = `import { app, defineCommand, definePlugin, WherryError } from 'wherry/plugin';
export default definePlugin({ name: 'greet', summary: 'Greets',
  commands: [defineCommand({ name: 'greet:app', summary: 'Greet an app', args: { app }, access: { app: 'read' }, effect: 'read',
    run(tools, input) {
      if (input.app === 'grim') throw new WherryError('conflict', 'Grim is not greeted.');
      return 'Hello ' + tools.app(input.app).name; },
    text: words => [words] })] });`;

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(dir, 'plugin-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}
const packed = (wherry: unknown, more = {}) => JSON.stringify({ ...manifest, ...more, wherry });
const kept = () => readdirSync(bench.paths.plugins).filter(name => name !== 'node_modules');

describe('plugin:install', () => {
  it('takes a folder with code that imports the API, and plugin:uninstall deletes it', async () => {
    const path = folder({ 'package.json': packed({ plugin: 'greet', api: 1 }), 'index.js': greet });
    expect(await bench.run('plugin:install', path)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Plugin greet 1.2.0 is enabled'),
    });
    // The copy counts, not where it came from.
    rmSync(path, { recursive: true });
    await bench.run('apps:create', 'blog');
    await bench.run('apps:create', 'grim');
    expect((await bench.run('greet:app', 'blog')).stdout).toBe('Hello blog\n');
    expect(await bench.run('greet:app', 'grim')).toMatchObject({
      code: 22,
      stderr: expect.stringContaining('Grim is not greeted.'),
    });
    expect((await bench.run('greet:app', 'nobody')).code).toBe(20);
    expect((await bench.run('plugin:list')).stdout).toMatch(/greet +enabled +installed +Greets/);
    expect((await bench.run('plugin:uninstall', 'greet')).code).toBe(0);
    const gone = (await bench.run('greet:app', 'blog')).stderr;
    expect(gone).toContain('is not a wherry command');
    expect(gone).not.toContain('plugin greet');
    expect(kept()).toEqual([]);
  });

  it('keeps it over a restart of the daemon, and clears away what a crash left', async () => {
    const path = folder({ 'package.json': packed({ plugin: 'greet', api: 1 }), 'index.js': greet });
    await bench.run('plugin:install', path);
    await bench.services.plugins.close();
    mkdirSync(join(bench.paths.plugins, '.staging-crash'));
    await bench.services.plugins.open();
    expect(kept().length).toBe(1);
    expect(bench.services.plugins.view('greet')).toMatchObject({ status: 'enabled', version: '1.2.0' });
  });

  it.each([
    ['no package.json', {}, 'There is no package.json'],
    ['one that is not JSON', { 'package.json': '{' }, 'is not JSON'],
    ['no word of Wherry', { 'package.json': '{"name":"left-pad"}' }, 'does not make it a plugin'],
    [
      'a name that is a path',
      { 'package.json': packed({ plugin: '../up', api: 1 }) },
      'does not make it a plugin',
    ],
    [
      'another API',
      { 'package.json': packed({ plugin: 'greet', api: 2 }) },
      'made for version "2" of the plugin API; this Wherry has version 1',
    ],
    ['nothing in it', { 'package.json': packed({ plugin: 'greet', api: 1 }) }, 'neither an index.js nor'],
    [
      'code that does not load',
      { 'package.json': packed({ plugin: 'greet', api: 1 }), 'index.js': 'export default {' },
      'cannot be loaded',
    ],
    [
      'the name of commands',
      { 'package.json': packed({ plugin: 'config', api: 1 }), 'index.js': '' },
      'commands that Wherry has already',
    ],
    [
      'the name of a plugin',
      { 'package.json': packed({ plugin: 'maintenance', api: 1 }), 'index.js': '' },
      'a plugin named maintenance already',
    ],
    [
      'a program named after no hook',
      { 'package.json': packed({ plugin: 'greet', api: 1 }), 'hooks/at-lunch': '' },
      'named after no hook',
    ],
    [
      'a program that nobody may run',
      { 'package.json': packed({ plugin: 'greet', api: 1 }), 'hooks/scaled': '' },
      'chmod +x hooks/scaled',
    ],
  ])('refuses a folder with %s, and leaves nothing', async (_what, files, why) => {
    const ran = await bench.run('plugin:install', folder(files));
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(why);
    expect(kept()).toEqual([]);
    expect(bench.services.plugins.list().map(({ name }) => name)).not.toContain('greet');
  });

  it('follows no link out of the folder, and runs none of its code before it is checked', async () => {
    const path = folder({ 'package.json': packed({ plugin: 'greet', api: 9 }), 'index.js': `throw 1` });
    expect((await bench.run('plugin:install', path)).stderr).toContain('made for version');
    writeFileSync(join(path, 'package.json'), packed({ plugin: 'greet', api: 1 }));
    symlinkSync('/etc/shadow', join(path, 'data'));
    expect((await bench.run('plugin:install', path)).stderr).toContain('A plugin may have no links');
    expect(kept()).toEqual([]);
  });

  it('takes programs alone', async () => {
    const path = folder({
      'package.json': packed({ plugin: 'shout', api: 1 }),
      'hooks/after-deploy': '#!/bin/sh\n',
    });
    chmodSync(join(path, 'hooks/after-deploy'), 0o755);
    await bench.run('plugin:install', path);
    expect(bench.services.plugins.view('shout')).toMatchObject({
      ...{ status: 'enabled', summary: 'Greets', hooks: ['after-deploy'] },
    });
  });

  it('deletes no plugin that comes with Wherry, and none that is not there', async () => {
    expect((await bench.run('plugin:uninstall', 'maintenance')).stderr).toContain('comes with Wherry');
    expect((await bench.run('plugin:uninstall', 'none')).stderr).toContain('no plugin named none');
    expect(existsSync(join(process.cwd(), 'plugins/maintenance/index.ts'))).toBe(true);
  });
});

describe('a package of npm', () => {
  it('is a name, with a version or not', () => {
    expect(parsePackage('wherry-greet')).toEqual({ name: 'wherry-greet', spec: 'wherry-greet' });
    expect(parsePackage('@ann/greet@^1.2')).toEqual({ name: '@ann/greet', spec: '@ann/greet@^1.2' });
  });

  it.each([
    ...['--prefix=/', '-g', 'git+ssh://example.org/x', 'https://example.org/x.tgz', 'ann/greet', './greet'],
    ...['../greet', 'greet@file:/etc', 'greet@npm:other', 'github:a/b', 'a b', 'greet\n', ''],
  ])('is not %j', text => {
    expect(() => parsePackage(text)).toThrow('neither a folder of this host nor an npm package');
  });
});

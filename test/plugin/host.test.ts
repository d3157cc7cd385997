import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPluginHost, type PluginHost } from '../../src/plugin/host.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';
import { type Bench, createBench } from '../commands/support.ts';
import { until } from '../support/until.ts';

let dir: string;
let bench: Bench;
let host: PluginHost;
const heard: unknown[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-plugins-'));
  bench = createBench();
  heard.length = 0;
  Object.assign(globalThis, { heard });
});
afterEach(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A plugin in JavaScript, as authors write it. */
function write(name: string, body: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'index.js'), `export default { name: '${name}', summary: 'Test', ${body} };`);
}

async function open(): Promise<void> {
  const { store, registry } = bench;
  host = createPluginHost({
    ...{ store, registry, clock, log, builtIn: dir, dir: join(dir, '.installed') },
    urls: () => ['http://blog.example.org'],
    applyRoutes: async () => {},
    post: async () => 200,
    deploy: async () => {},
  });
  await host.open();
}

const building = { app: 'blog', commit: 'a'.repeat(40), subject: 'First', actor: 'ann' };
const events = () => bench.store.events.list({ limit: 100 }).filter(({ kind }) => kind === 'plugin-failed');

describe('a plugin', () => {
  it('brings commands of its own namespace, until it is disabled', async () => {
    write(
      'greet',
      `commands: [{ name: 'greet:say', summary: 'Greet', args: {}, access: 'admin', effect: 'read',
        run: tools => ({ apps: tools.apps().length, may: Object.keys(tools).includes('store') }),
        text: result => [JSON.stringify(result)] }]`,
    );
    await open();
    // It is given what the API names, and not Wherry's insides.
    expect(await bench.run('greet:say')).toMatchObject({ code: 0, stdout: '{"apps":0,"may":false}\n' });
    await host.disable('greet');
    expect((await bench.run('greet:say')).stderr).toContain('is not a wherry command');
    await host.enable('greet');
    expect((await bench.run('greet:say')).code).toBe(0);
  });

  it('stays as it was set when the daemon begins again', async () => {
    write('greet', '');
    await open();
    await host.disable('greet');
    await host.close();
    await open();
    expect(host.view('greet').status).toBe('disabled');
  });

  it.each([
    ['another namespace', `commands: [{ name: 'apps:list', args: {} }]`, 'not in its own namespace'],
    [
      'an alias elsewhere',
      `commands: [{ name: 'odd:a', aliases: ['config:set'], args: {} }]`,
      'not in its own',
    ],
    ['a hook that is not there', `hooks: { 'before-lunch': () => {} }`, 'no hook named before-lunch'],
    ['another name', `name: 'other'`, 'calls itself'],
    ['code that throws', `x: (() => { throw new Error('broken') })()`, 'broken'],
    ['code that does not parse', 'x: (', 'cannot be loaded'],
  ])('with %s is not used, and keeps nobody from beginning', async (_what, body, why) => {
    write('odd', body);
    write('well', '');
    await open();
    expect(host.view('odd')).toMatchObject({
      status: 'unusable',
      unusable: expect.stringContaining(why),
      commands: [],
    });
    expect(host.view('well').status).toBe('enabled');
    await expect(host.enable('odd')).rejects.toThrow(why);
    expect((await bench.run('apps:list')).code).toBe(0);
  });

  it('cannot take the name of commands that are there', async () => {
    write('config', `commands: [{ name: 'config:steal', args: {} }]`);
    await open();
    expect(host.view('config')).toMatchObject({ status: 'disabled', failures: 1 });
    expect((await bench.run('config:steal')).code).not.toBe(0);
    expect((await bench.run('config:export', 'nobody')).code).toBe(20);
  });

  it('has settings by the rules of X:set and X:report', async () => {
    write(
      'tint',
      `settings: {
        colour: { help: 'a colour', global: true, usual: 'grey', parse: text => {
          if (text === 'pink') throw new Error('no');
          return text.toLowerCase(); } },
        shape: { help: 'a shape', global: false, parse: text => text },
      },
      report: (tools, app) => ({ shown: tools.setting('colour', app) })`,
    );
    await open();
    await bench.run('apps:create', 'blog');
    const value = async (key: string) => (await bench.run('tint:report', 'blog', `--tint-${key}`)).stdout;
    expect(await value('computed-colour')).toBe('grey\n');
    expect((await bench.run('tint:set', '--global', 'colour', 'BLUE')).stdout).toContain(
      'Setting colour to blue',
    );
    await bench.run('tint:set', 'blog', 'colour', 'RED');
    expect([await value('colour'), await value('global-colour'), await value('shown')]).toEqual([
      ...['red\n', 'blue\n', 'red\n'],
    ]);
    await bench.run('tint:set', 'blog', 'colour');
    expect(await value('computed-colour')).toBe('blue\n');
    expect((await bench.run('tint:set', '--global', 'shape', 'a')).stderr).toContain(
      'cannot be specified glob',
    );
    expect((await bench.run('tint:set', 'blog', '__proto__', 'a')).stderr).toContain(
      'valid properties include: colour, shape',
    );
  });

  it('starts and stops a service; one that fails to start serves on without', async () => {
    write('serve', `start: () => { heard.push('up'); return { stop: () => { heard.push('down'); } }; }`);
    write('fall', `start: () => { throw new Error('no socket') }`);
    await open();
    expect(heard).toEqual(['up']);
    await host.disable('serve');
    expect(heard).toEqual(['up', 'down']);
    expect(host.view('fall')).toMatchObject({
      status: 'enabled',
      failures: 1,
      last_failure: { where: 'start', message: 'no socket' },
    });
  });
});

describe('hooks of plugins', () => {
  it('forbid a build with their reason', async () => {
    write(
      'gate',
      `hooks: { 'before-build': event => event.app === 'blog' ? { veto: 'Not on\\x1b[31m Friday' } : undefined }`,
    );
    await open();
    await expect(host.hooks.ask('before-build', building)).rejects.toThrow(
      'Plugin gate does not allow it: Not on [31m Friday',
    );
    await host.hooks.ask('before-build', { ...building, app: 'shop' });
  });

  it('that may forbid something but cannot say hold it up, and the way on is named', async () => {
    write('gate', `hooks: { 'before-build': () => { throw new Error('database gone') } }`);
    await open();
    await expect(host.hooks.ask('before-build', building)).rejects.toMatchObject({
      code: 'failed',
      hint: expect.stringContaining('plugin:disable gate'),
    });
    await host.disable('gate');
    await host.hooks.ask('before-build', building);
  });

  it('add to the environment of a build; one that fails adds nothing', async () => {
    write('a', `hooks: { 'build-environment': () => ({ STAGE: 'test' }) }`);
    write('b', `hooks: { 'build-environment': () => { throw new Error('no') } }`);
    write('c', `hooks: { 'build-environment': () => ({ 'BAD KEY': 'x' }) }`);
    write('d', `hooks: { 'build-environment': () => 'STAGE' }`);
    await open();
    expect(await host.hooks.change('build-environment', building)).toEqual({ STAGE: 'test' });
    expect(host.list().map(({ failures }) => failures)).toEqual([0, 1, 1, 1]);
  });

  it('hear what happens in its order, and one that fails keeps nothing from another', async () => {
    write(
      'bad',
      `hooks: { scaled: () => { throw new Error('no') }, 'app-created': () => { throw new Error('no') } }`,
    );
    write(
      'good',
      `hooks: { scaled: async event => { await new Promise(setImmediate); heard.push(event.message) },
        'app-created': event => { heard.push([event.app, event.actor]) } }`,
    );
    await open();
    bench.store.events.add({ at: clock.now(), app: undefined, kind: 'scale', message: 'Scaled to web=2' });
    await bench.run('apps:create', 'blog');
    await until('it', () => heard.length === 2, { every: 1 });
    expect(heard).toEqual(['Scaled to web=2', ['blog', 'local']]);
    await until('it', () => host.view('bad').failures === 2, { every: 1 });
    expect(events().map(({ message }) => message)).toEqual([
      'Plugin bad failed at scaled: no',
      'Plugin bad failed at app-created: no',
    ]);
  });

  it('are told of as failed once a minute, and counted', async () => {
    write('bad', `hooks: { scaled: () => { throw new Error('no') } }`);
    await open();
    for (let at = 0; at < 5; at++)
      bench.store.events.add({ at: clock.now(), kind: 'scale', message: String(at) });
    await until('it', () => host.view('bad').failures === 5, { every: 1 });
    expect(events().length).toBe(1);
  });
});

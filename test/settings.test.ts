import { expect, it } from 'vitest';
import { ownCommand, readFlags } from '../src/argv.ts';
import { parseAddress, readSettings } from '../src/settings.ts';

it('takes a flag over the environment over the default', () => {
  const settings = readSettings(new Map([['data', '/a']]), { WHERRY_DATA: '/b', WHERRY_SSH: '127.0.0.1:22' });
  expect(settings).toMatchObject({
    data: '/a',
    ssh: { host: '127.0.0.1', port: 22 },
    http: { host: '0.0.0.0', port: 80 },
  });
});

it('does not take port 22 by default', () => {
  expect(readSettings(new Map(), {}).ssh.port).toBe(2222);
});

it('names the known flags when one is unknown', () => {
  expect(() => readSettings(new Map([['prot', '1']]), {})).toThrow(/--prot is not known.*--http/);
});

it.each([':8080', '[::1]:80', 'localhost:0'])('reads address %s', text => {
  expect(parseAddress(text).port).toBeLessThan(65_536);
});

it.each(['', '80', 'a:b', 'a:70000', '1.2.3.4:'])('refuses address %j', text => {
  expect(() => parseAddress(text)).toThrow(/is not HOST:PORT/);
});

it("tells its own commands from the client's", () => {
  expect(ownCommand(['--data', '/x', 'daemon', '--ssh', ':1'])).toBe('daemon');
  expect(ownCommand(['--data=/x', 'down'])).toBe('down');
  expect(ownCommand(['--data=/x', 'database', 'restore'])).toBe('database');
  expect(ownCommand(['--data', 'down', 'apps:list'])).toBeUndefined();
  expect(ownCommand(['apps:create', 'daemon'])).toBeUndefined();
  expect(ownCommand(['--force', 'apps:destroy', 'down'])).toBeUndefined();
  expect(ownCommand(['--quiet', 'apps:exists', 'edge'])).toBeUndefined();
});

it('reads flags before and after the command, with = or a space', () => {
  expect(readFlags(['--data', '/x', 'down', '--purge'], 'down', ['purge'])).toEqual(
    new Map([
      ['data', '/x'],
      ['purge', 'true'],
    ]),
  );
  expect(readFlags(['daemon', '--http=:80'], 'daemon')).toEqual(new Map([['http', ':80']]));
  expect(() => readFlags(['daemon', 'now'], 'daemon')).toThrow(/flags only/);
  expect(() => readFlags(['daemon', '--http'], 'daemon')).toThrow(/needs a value/);
});

it.each(['0', '-1', '1.5', '65', 'two', ''])('refuses %j workers of the edge', text => {
  expect(() => readSettings(new Map([['edge-workers', text]]), {})).toThrow(/is not a number of processes/);
});

it('refuses a time or a switch that is none', () => {
  expect(() => readSettings(new Map([['ready-timeout', '0']]), {})).toThrow(/is not a number of seconds/);
  expect(() => readSettings(new Map([['autocreate', 'maybe']]), {})).toThrow(/is not true or false/);
  expect(readSettings(new Map([['autocreate', 'false']]), {})).toMatchObject({
    autocreate: false,
    readyTimeout: 60,
  });
});

it('takes the URL of a mirror of Node, and nothing else for it', () => {
  const mirror = (url: string) => readSettings(new Map([['node-mirror', url]]), {}).nodeMirror;
  expect(mirror('https://mirror.example.org/node')).toBe('https://mirror.example.org/node');
  expect(mirror('')).toBeUndefined();
  for (const wrong of ['mirror', 'file:///srv/node'])
    expect(() => mirror(wrong)).toThrow(/is not the URL of a mirror/);
});

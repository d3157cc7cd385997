import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe, probeSaying } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { strays } from '../support/invariants.ts';
import { createSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { startTraffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { createWherry, type Wherry } from '../support/wherry.ts';

const inDatabase = [
  ['config:set', '--no-restart', 'app', 'NEW=1'],
  ['apps:create', 'fresh'],
  ['domains:add', 'app', 'new.example.org'],
];
const onDisk = [
  ['ps:restart', 'app'],
  ['ps:rebuild', 'app'],
  ['run', 'app', 'true'],
];

let disk: SmallDisk;
let wherry: Wherry;
let repository: Repository;
const begin = async () => {
  disk = await createSmallDisk({ bytes: 300 * 2 ** 20, inodes: 6000 });
  wherry = await createWherry({ scratch: disk.dir });
  await wherry.start();
  await wherry.registerKey();
  await wherry.cli('disk:set', '--global', 'reserve', '0');
  repository = await wherry.repository('app', { from: probe });
  expect((await repository.push()).code).toBe(0);
  await wherry.cli('config:set', '--no-restart', 'app', 'KEPT=1');
};
const end = async () => {
  // Whatever failed: what lies on a disk that takes nothing cannot be taken down.
  if (disk.isReadOnly()) await disk.repair();
  disk.free();
  await wherry.stop();
  await disk.close();
};
/** When the process that serves began: the same number, the same process. */
const born = async () =>
  (await wherry.get('app', '/read?path=/proc/self/stat')).text.split(') ')[1]?.split(' ')[19];
const refuses = async (commands: readonly string[][], says: RegExp) => {
  for (const words of commands) {
    const refused = await wherry.cli(...words);
    expect(refused.code, `${words.join(' ')}: ${refused.output}`).toBe(75);
    expect(refused.stderr, words.join(' ')).toMatch(says);
    expect(refused.stderr, 'it names the folder').toContain(wherry.data);
  }
};
const nothingOfIt = async () => {
  expect((await wherry.cli('config:get', 'app', 'NEW')).code).not.toBe(0);
  expect((await wherry.cli('config:get', 'app', 'KEPT')).stdout.trim()).toBe('1');
  expect((await wherry.cli('apps:exists', 'fresh')).code).not.toBe(0);
  expect((await wherry.cli('domains:report', 'app')).stdout).not.toContain('new.example.org');
};
const write = async (text: string) => {
  repository.write(probeSaying(text));
  await repository.commit(`Say ${text}`);
};
const pushIsRefused = async (says: RegExp) => {
  const before = (await wherry.get('app')).text;
  const refused = await repository.push();
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(says);
  expect((await wherry.get('app')).text).toBe(before);
};

describe.each([
  {
    what: 'is full',
    commands: [...inDatabase, ...onDisk],
    says: /is full\. Free some/,
    inflict: () => disk.fill(),
  },
  {
    what: 'has no inodes',
    commands: onDisk,
    says: /has no inodes left.*Delete some/,
    inflict: () => disk.fillInodes(),
  },
])('the disk of the data directory $what', ({ what, commands, says, inflict }) => {
  beforeAll(begin);
  afterAll(end);

  it('and what needs it is refused with a sentence, while the app serves on; with room again, all is done', async () => {
    const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') });
    const before = await born();
    await write(what);
    await inflict();
    await refuses(commands, says);
    await pushIsRefused(says);
    expect((await wherry.cli('apps:list')).stdout).toMatch(/app\n/);
    await wherry.get('app', '/log?text=said-meanwhile');

    disk.free();
    expect(await born(), 'the app was not restarted').toBe(before);
    await nothingOfIt();
    for (const words of commands) {
      const done = await wherry.cli(...words);
      expect(done.code, `${words.join(' ')}: ${done.output}`).toBe(0);
    }
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('app')).text).toBe(what);
    expect((await traffic.end()).failures).toEqual([]);
    await until(
      'nothing left behind',
      async () => {
        const left = await strays(wherry.data);
        if (left.length > 0) throw new Error(left.join('\n'));
        return true;
      },
      { timeout: 60_000 },
    );
  });

  it('and an app that ends comes back by itself, at the latest when there is room', async () => {
    const before = await born();
    await inflict();
    await wherry.get('app', '/exit?code=1').catch(() => {});
    await until(
      'its end',
      async () => (await wherry.get('app')).status !== 200 || (await born()) !== before,
      {
        timeout: 10_000,
      },
    );
    disk.free();
    await until('the app to be back', async () => (await wherry.get('app')).status === 200, {
      timeout: 60_000,
    });
    await wherry.get('app', '/log?text=said-afterwards');
    await until('its log', async () => (await wherry.cli('logs', 'app')).stdout.includes('said-afterwards'));
  });
});

describe('the disk of the data directory fails, and its file system can only be read from then on', () => {
  beforeAll(begin);
  afterAll(end);

  it('and what needs it is refused with a sentence, while the app serves on; after a repair all that was acknowledged is there', async () => {
    const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') });
    const says = /can only be read.*mounted for writing|fails to read or write/;
    await write('two');
    await disk.turnReadOnly();
    await refuses([...inDatabase, ...onDisk], says);
    await pushIsRefused(says);
    expect((await wherry.cli('apps:list')).stdout).toMatch(/app\n/);
    expect((await traffic.end()).failures).toEqual([]);

    await wherry.kill();
    const half = await wherry.cli('down');
    expect(half.stderr).toMatch(says);
    await disk.repair();
    const down = await wherry.cli('down');
    expect(down.code, down.output).toBe(0);
    await wherry.start();
    await until('the app to be back', async () => (await wherry.get('app')).status === 200, {
      timeout: 60_000,
    });
    await nothingOfIt();
    const rebuilt = await wherry.cli('ps:rebuild', 'app');
    expect(rebuilt.code, rebuilt.output).toBe(0);
    expect((await wherry.get('app')).text).toBe('probe one');
    expect((await (await wherry.repository('other', { from: probe })).push()).code).toBe(0);
  });
});

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskRoom, type Ways } from '../../src/build/disk-room.ts';
import { createLayerStore } from '../../src/build/layers/store.ts';
import { parseDiskBudget, parseReserve } from '../../src/domain/disk-budget.ts';
import type { DiffId, Image } from '../../src/domain/image.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';

const mib = 2 ** 20;
const hour = 3_600_000;

let root: string;
let bench: ReturnType<typeof createBench>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-room-'));
  bench = createBench();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A disk of 100 MB with nothing on it but what the tests put there. */
function createBench() {
  const paths = createPaths({ data: join(root, 'data'), cache: join(root, 'cache') });
  for (const dir of [paths.data, paths.cache, paths.builds]) mkdirSync(dir, { recursive: true });
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const at = { now: Date.now() };
  const clock = { ...systemClock, now: () => new Date(at.now) };
  const layers = createLayerStore(paths, clock);
  const space = () => {
    const used = sizeOf(root);
    return { used, free: 100 * mib - used };
  };
  const room = createDiskRoom({ store, paths, layers, clock, log, space });
  const told: string[] = [];
  const ways: Ways = {
    collect: async () => void told.push('collect'),
    forgetReleases: () => void told.push('forget releases'),
  };
  /** A layer of the shared cache of `megabytes`, last used `age` hours ago. */
  const shared = async (megabytes: number, age: number): Promise<DiffId> => {
    const dir = mkdtempSync(join(paths.cache, 'made-'));
    writeFileSync(join(dir, 'file'), randomBytes(megabytes * mib));
    const id = await layers.put({ dir, scope: 'shared', origin: 'x' });
    const then = new Date(at.now - age * hour);
    utimesSync(join(paths.cache, 'layers', id.replace(':', '-'), 'layer.json'), then, then);
    return id;
  };
  const file = (path: string, megabytes: number, age = 48) => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, Buffer.alloc(megabytes * mib));
    const then = new Date(at.now - age * hour);
    utimesSync(path, then, then);
  };
  const set = (property: string, value: string) => store.properties.set('global', `disk-${property}`, value);
  const kept = () => new Set(layers.shared().map(({ id }) => id));
  set('reserve', '10m');
  return { paths, store, layers, room, ways, told, shared, file, set, kept };
}

function sizeOf(dir: string): number {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map(name => statSync(join(dir, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}

const imageOf = (layers: readonly DiffId[]): Image => ({
  id: `sha256:${'1'.repeat(64)}`,
  layers,
  env: {},
  workingDir: '/workspace',
  user: { uid: 1000, gid: 1000 },
  entrypoint: [],
  processes: [],
  labels: {},
});

describe('a disk within its budget', () => {
  it('loses nothing', async () => {
    const { room, ways, told, shared, file, paths, kept } = bench;
    const id = await shared(10, 1000);
    file(join(paths.cache, 'tmp/dead/file'), 1);
    await room.tidy(ways);
    await room.require(ways);
    expect(kept()).toEqual(new Set([id]));
    expect(existsSync(join(paths.cache, 'tmp/dead'))).toBe(true);
    expect(told).toEqual([]);
  });
});

describe('a disk that is fuller than its budget', () => {
  it('loses what dead processes left, and no more when that is enough', async () => {
    const { room, ways, told, shared, file, paths, kept, set } = bench;
    set('budget', '50%');
    const id = await shared(40, 1000);
    file(join(paths.cache, 'tmp/dead'), 15);
    file(join(paths.cache, 'tmp/young'), 1, 1);
    await room.tidy(ways);
    expect(readdirSync(join(paths.cache, 'tmp'))).toEqual(['young']);
    expect(kept()).toEqual(new Set([id]));
    expect(told).toEqual([]);
  });

  it('loses the shared layers longest unused, as many as it must', async () => {
    const { room, ways, told, shared, kept, set } = bench;
    set('budget', '50%');
    const [oldest, old, older] = [await shared(20, 90), await shared(20, 30), await shared(20, 60)];
    await room.tidy(ways);
    expect(kept()).toEqual(new Set([older, old]));
    expect(kept()).not.toContain(oldest);
    expect(told).toEqual([]);
  });

  it('keeps shared layers of the last day, of stacks, of releases and in the hands of builds', async () => {
    const { room, ways, told, shared, file, paths, kept, set, layers, store } = bench;
    set('budget', '10%');
    const [today, stack, held, leased] = [
      await shared(5, 20),
      await shared(5, 100),
      await shared(5, 100),
      await shared(5, 100),
    ];
    file(join(paths.cache, 'stacks/generations/one.json'), 0);
    writeFileSync(join(paths.cache, 'stacks/generations/one.json'), JSON.stringify({ run: [stack] }));
    store.images.put(imageOf([held]));
    await shared(5, 100);
    layers.hold();
    layers.has(leased);
    await room.tidy(ways);
    expect(kept()).toEqual(new Set([today, stack, held, leased]));
    expect(told).toEqual(['forget releases', 'collect']);
  });

  it('loses the caches of the apps built longest ago, but not of one that is being built, then old releases', async () => {
    const { room, ways, told, file, paths, set } = bench;
    set('budget', '10%');
    const cache = (app: string, age: number) => file(join(paths.builds, app, 'record.json'), 8, age);
    cache('first', 100);
    cache('second', 50);
    cache('today', 2);
    cache('building', 200);
    file(join(paths.builds, 'first/buildpacks.json'), 0);
    mkdirSync(join(paths.builds, 'building/work-1'));
    await room.tidy(ways);
    const left = (app: string) => readdirSync(join(paths.builds, app));
    expect(['first', 'second', 'today', 'building'].map(left)).toEqual([
      ['buildpacks.json'],
      [],
      ['record.json'],
      ['record.json', 'work-1'],
    ]);
    expect(told).toEqual(['collect', 'collect', 'forget releases', 'collect']);
  });

  it('is tidied once for all who ask meanwhile', async () => {
    const { room, ways, told, file, paths, set } = bench;
    set('budget', '10%');
    file(join(paths.data, 'database'), 30);
    await Promise.all([room.tidy(ways), room.tidy(ways), room.tidy(ways)]);
    expect(told).toEqual(['forget releases', 'collect']);
  });
});

describe('a build', () => {
  it('gets its room from whatever can be made again, even of today', async () => {
    const { room, ways, file, paths, set } = bench;
    set('reserve', '50m');
    file(join(paths.builds, 'blog/record.json'), 60, 1);
    await room.require(ways);
    expect(readdirSync(join(paths.builds, 'blog'))).toEqual([]);
  });

  it('is refused in one sentence when the disk is nearly full', async () => {
    const { room, ways, told, file, paths, set } = bench;
    set('reserve', '50m');
    file(join(paths.data, 'database'), 60);
    await expect(room.require(ways)).rejects.toThrow(
      'The disk of this host has 40m left, and a build begins only with 50m free. Delete what is not needed (disk:report shows what takes it), or lower the reserve.',
    );
    expect(told).toEqual(['forget releases', 'collect']);
    set('reserve', '30m');
    await room.require(ways);
  });

  it('is refused when Wherry takes more than its bytes, until it does not', async () => {
    const { room, ways, file, paths, set } = bench;
    set('budget', '20m');
    file(join(paths.data, 'database'), 30);
    // Nothing is known until something grew.
    await room.require(ways);
    await room.tidy(ways);
    await expect(room.require(ways)).rejects.toThrow(
      /^Wherry takes 30(\.\d)?m of the disk, more than its budget of 20m, and nothing more can be deleted/,
    );
    rmSync(join(paths.data, 'database'));
    await room.require(ways);
  });

  it('of an app with a cache too large for the budget is not refused: the cache goes', async () => {
    const { room, ways, file, paths, set } = bench;
    set('budget', '20m');
    file(join(paths.builds, parseAppName('blog'), 'record.json'), 30, 1);
    await room.tidy(ways);
    await room.require(ways);
    expect(readdirSync(join(paths.builds, 'blog'))).toEqual([]);
  });
});

describe('a budget', () => {
  it.each([
    ['20g', { kind: 'bytes', bytes: 20 * 2 ** 30 }],
    ['80%', { kind: 'percent', percent: 80 }],
    ['none', { kind: 'none' }],
  ])('can be %s', (text, budget) => expect(parseDiskBudget(text)).toEqual(budget));

  it.each(['', '20', '5%', '100%', '-1g', '1.5', 'all', '0%', '1e9g', '20g extra'])('is not %j', text =>
    expect(() => parseDiskBudget(text)).toThrow('is not an amount of disk'),
  );

  it('has a reserve in bytes', () => {
    expect([parseReserve('0'), parseReserve('512m'), parseReserve('2g')]).toEqual([0, 512 * mib, 2048 * mib]);
    for (const text of ['512', '10%', 'none']) expect(() => parseReserve(text)).toThrow('Give one as 512m');
  });
});

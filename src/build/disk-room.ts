import { existsSync, statfsSync } from 'node:fs';
import { formatBytes } from '../domain/bytes.ts';
import {
  type DiskBudget,
  type DiskProperty,
  diskProperties,
  diskPropertyName,
  parseDiskBudget,
  parseReserve,
} from '../domain/disk-budget.ts';
import { WherryError } from '../domain/errors.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';
import { layersHeld } from './collect.ts';
import { dropAppCaches, dropLeftovers, dropShared, type EvictOptions } from './disk-evict.ts';
import { bytesUsed } from './disk-use.ts';
import type { LayerStore } from './layers/store.ts';

export type DiskRoom = ReturnType<typeof createDiskRoom>;

/** What only the pipeline can do. */
export type Ways = {
  /** Deletes layers that nothing holds. */
  readonly collect: () => Promise<void>;
  /** Forgets all releases but a few of each app. */
  readonly forgetReleases: () => void;
};

/** Bytes of a file system. */
export type Space = { readonly used: number; readonly free: number };

export type DiskRoomOptions = {
  readonly store: Store;
  readonly paths: Pick<Paths, 'data' | 'cache' | 'builds'>;
  readonly layers: LayerStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the file system that a folder lies on; the kernel's word unless told. */
  readonly space?: (dir: string) => Space;
};

/** Keeps what Wherry takes within its budget, and enough free for a build to begin. */
export function createDiskRoom(options: DiskRoomOptions) {
  const { store, paths, log, space = spaceOf } = options;
  const value = (property: DiskProperty) =>
    store.properties.get('global', diskPropertyName(property)) ?? diskProperties[property];
  const budget = (): DiskBudget => parseDiskBudget(value('budget'));
  const reserve = () => parseReserve(value('reserve'));
  const free = () => Math.min(...[paths.data, paths.cache].filter(existsSync).map(dir => space(dir).free));

  /** Bytes that are too many, below 0 when there is room; of a budget in bytes `undefined` when nothing is known yet. */
  let over: number | undefined;
  const measure = async (): Promise<number> => {
    over = await overBudget(budget(), { paths, space });
    return over;
  };

  const evict = async (wanted: number, need: boolean, ways: Ways): Promise<void> => {
    const before = free();
    const enough = () => free() - before >= wanted;
    const evicting: EvictOptions = { ...options, enough };
    const steps = [
      async () => await dropLeftovers(evicting),
      async () => await dropShared(evicting, layersHeld(paths.builds, store.images.list())),
      async () => await dropAppCaches(evicting, { need, collect: ways.collect }),
      async () => {
        ways.forgetReleases();
        await ways.collect();
      },
    ];
    for (const step of steps) if (!enough()) await step();
    log.info({ wanted, freed: free() - before }, 'deleted from the disk what can be made again');
  };

  /** One at a time: who comes meanwhile waits for the same. */
  let running: Promise<void> | undefined;
  const alone = (work: () => Promise<void>): Promise<void> => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    /** Evicts what the budget has no room for. Call when something grew, behind whoever waits. */
    tidy: (ways: Ways): Promise<void> =>
      alone(async () => {
        const wanted = await measure();
        if (wanted <= 0) return;
        await evict(wanted, false, ways);
        await measure();
      }),

    /** Before a build: makes room where there is too little. @throws build-failed when there is none to be made */
    async require(ways: Ways): Promise<void> {
      const short = () => reserve() - free();
      if (short() > 0) await alone(() => evict(short(), true, ways));
      if (short() > 0) throw tooLittle(free(), reserve());
      const limit = budget();
      if (limit.kind !== 'bytes' || over === undefined || over <= 0) return;
      // Somebody may have made room, or raised the budget.
      if ((await measure()) > 0) await alone(async () => await evict(over ?? 0, true, ways));
      if ((await measure()) > 0) throw tooMuch(limit.bytes + (over ?? 0), limit.bytes);
    },

    /** For reports, as texts. */
    report: () => ({ budget: value('budget'), reserve: value('reserve'), free: free() }),
  };
}

async function overBudget(
  budget: DiskBudget,
  { paths, space }: { paths: DiskRoomOptions['paths']; space: (dir: string) => Space },
): Promise<number> {
  if (budget.kind === 'none') return Number.NEGATIVE_INFINITY;
  if (budget.kind === 'bytes') return (await bytesUsed([paths.data, paths.cache])) - budget.bytes;
  const over = [paths.data, paths.cache].filter(existsSync).map(dir => {
    const { used, free } = space(dir);
    return Math.ceil(used - ((used + free) * budget.percent) / 100);
  });
  return Math.max(...over);
}

/** As df: what root alone may use counts as neither. */
function spaceOf(dir: string): Space {
  const { blocks, bfree, bavail, bsize } = statfsSync(dir);
  return { used: (blocks - bfree) * bsize, free: bavail * bsize };
}

function tooLittle(free: number, reserve: number): WherryError {
  return new WherryError(
    'build-failed',
    `The disk of this host has ${formatBytes(free)} left, and a build begins only with ${formatBytes(reserve)} free. Delete what is not needed (disk:report shows what takes it), or lower the reserve.`,
    { hint: 'disk:set --global reserve 128m' },
  );
}

function tooMuch(taken: number, budget: number): WherryError {
  return new WherryError(
    'build-failed',
    `Wherry takes ${formatBytes(taken)} of the disk, more than its budget of ${formatBytes(budget)}, and nothing more can be deleted. Destroy apps that are not needed, or raise the budget.`,
    { hint: `disk:set --global budget ${formatBytes(taken * 1.5)}` },
  );
}

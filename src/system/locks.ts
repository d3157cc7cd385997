import { WherryError } from '../domain/errors.ts';

export type Locks = ReturnType<typeof createLocks>;

/** One holder a name at a time; waiters in the order they came. Nothing outlives the process: a crash frees all. */
export function createLocks(now: () => number = () => performance.now()) {
  const queues = new Map<string, { holder: string; since: number; waiters: (() => void)[] }>();

  const take = async (name: string, options: LockOptions): Promise<() => void> => {
    const held = queues.get(name);
    if (held) {
      options.onWait?.(held.holder);
      await turn(held.waiters, name, options, () => `${held.holder} for ${age(now() - held.since)}`);
    }
    const entry = queues.get(name) ?? { holder: options.holder, since: now(), waiters: [] };
    entry.holder = options.holder;
    entry.since = now();
    queues.set(name, entry);
    return () => {
      const next = entry.waiters.shift();
      if (next) next();
      else queues.delete(name);
    };
  };

  return {
    /** Who holds it, or nobody. */
    holder: (name: string): string | undefined => queues.get(name)?.holder,
    /** @throws locked after `wait` milliseconds; the signal's reason when aborted. */
    async with<Result>(name: string, options: LockOptions, work: () => Promise<Result>): Promise<Result> {
      const release = await take(name, options);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}

export type LockOptions = {
  /** What is being done, for whoever waits: `deploy of abc1234`. */
  readonly holder: string;
  /** Milliseconds. */
  readonly wait: number;
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal | undefined;
};

function turn(
  waiters: (() => void)[],
  name: string,
  options: LockOptions,
  holder: () => string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      const place = waiters.indexOf(enter);
      if (place >= 0) waiters.splice(place, 1);
    };
    const enter = () => {
      leave();
      resolve();
    };
    const onAbort = () => {
      leave();
      reject(options.signal?.reason);
    };
    const timer = setTimeout(() => {
      leave();
      reject(
        new WherryError('locked', `App ${name} has been busy with ${holder()}. Try again when it is done.`),
      );
    }, options.wait);
    if (options.signal?.aborted) return onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    waiters.push(enter);
  });
}

function age(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

import { totalmem } from 'node:os';
import { formatBytes } from '../domain/bytes.ts';

export type BuildQueue = ReturnType<typeof createBuildQueue>;

export type Turn = {
  readonly app: string;
  /** Bytes that the build may use at most. */
  readonly memory: number;
  readonly signal: AbortSignal;
  /** Told once, with what it waits for, if it must. */
  readonly onWait: (why: string) => void;
};

type Waiter = { readonly turn: Turn; enter(): void };

/** Memory that builds leave to the system and the platform whatever the host has. */
const reserve = 256 * 2 ** 20;

/** Bytes that builds may use together unless told: half of the host's memory less a reserve. */
export function defaultBuildMemory(total: number = totalmem()): number {
  return Math.max(0, Math.floor(total / 2) - reserve);
}

/** The memory of the host that builds share with apps: resolves to what gives it back. @throws the signal's reason */
export type TakeMemory = (turn: Turn) => Promise<() => void>;

/** Lets builds in while the memory they may use stays within `budget` bytes, in the order they came; one is always let in. */
export function createBuildQueue(budget: number, takeMemory: TakeMemory = async () => () => {}) {
  const running = new Set<Turn>();
  const waiters: Waiter[] = [];
  const used = () => [...running].reduce((sum, { memory }) => sum + memory, 0);
  const fits = ({ memory }: Turn) => running.size === 0 || used() + memory <= budget;

  const admit = (): void => {
    for (let next = waiters[0]; next && fits(next.turn); next = waiters[0]) {
      waiters.shift();
      running.add(next.turn);
      next.enter();
    }
  };

  const describe = (turn: Turn): string => {
    const apps = [...running, ...waiters.map(waiter => waiter.turn)].map(({ app }) => app);
    const taken = `${formatBytes(used())} of the ${formatBytes(budget)} for builds`;
    return `Waiting for the memory of other builds: ${[...new Set(apps)].join(', ')} have ${taken}, this needs ${formatBytes(turn.memory)}`;
  };

  return {
    /** Waits for its turn; resolves to the way to end it. @throws the signal's reason */
    async enter(turn: Turn): Promise<() => void> {
      turn.signal.throwIfAborted();
      if (waiters.length === 0 && fits(turn)) running.add(turn);
      else {
        turn.onWait(describe(turn));
        await wait(turn);
      }
      const leave = () => {
        if (running.delete(turn)) admit();
      };
      try {
        // The one that is let in whatever it may use is held to what all builds may.
        const giveBack = await takeMemory({ ...turn, memory: Math.min(turn.memory, budget) });
        return () => {
          giveBack();
          leave();
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };

  function wait(turn: Turn): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const place = waiters.indexOf(waiter);
        if (place >= 0) waiters.splice(place, 1);
        reject(turn.signal.reason);
        // Whoever stood behind it may be small enough now.
        admit();
      };
      const waiter: Waiter = {
        turn,
        enter() {
          turn.signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      turn.signal.addEventListener('abort', onAbort, { once: true });
      waiters.push(waiter);
    });
  }
}

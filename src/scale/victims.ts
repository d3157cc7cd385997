import type { Fleet, Group } from './fleet.ts';
import type { Signal } from './rules.ts';

export type Idle = { readonly group: Group; readonly signal: Signal };

type Victim = { readonly group: Group; readonly act: (fleet: Fleet) => Promise<boolean> };

const why = 'The host is short of memory.';

/**
 * Who gives memory back when the host is short of it, best first: spare instances of apps without a request, then apps that may
 * sleep and are not in use, those first that were idle longest for the most memory. Never one in use, or that must stay.
 */
export function victims(all: readonly Idle[]): readonly Victim[] {
  const unused = all.filter(({ group, signal }) => signal.inFlight === 0 && signal.now >= group.busyUntil);
  const spare = unused.filter(({ group }) => !group.asleep && group.count > Math.max(1, group.rules.min));
  const sleepers = unused.filter(({ group }) => group.rules.min === 0 && group.asleep !== 'deep');
  return [
    ...spare.sort((a, b) => b.group.memory - a.group.memory).map(({ group }) => shrinking(group)),
    ...sleepers.sort((a, b) => worth(b) - worth(a)).map(({ group }) => sleeping(group)),
  ];
}

/** Who of those that are frozen is stopped first when the host is short of memory: idle longest for the most memory. */
export function pressedOut(all: readonly Idle[]): string | undefined {
  const frozen = all.filter(({ group }) => group.asleep === 'light' && !group.held);
  return frozen.sort((a, b) => worth(b) - worth(a))[0]?.group.app;
}

function worth({ group, signal }: Idle): number {
  // Of those just heard of, the largest.
  return Math.max(1, signal.idle) * group.memory * group.count;
}

function shrinking(group: Group): Victim {
  return {
    group,
    async act(fleet) {
      await fleet.resize(group.app, group.count - 1, why);
      return true;
    },
  };
}

function sleeping(group: Group): Victim {
  return { group, act: fleet => fleet.sleep(group.app, 'deep', why) };
}

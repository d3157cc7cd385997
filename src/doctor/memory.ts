import { formatBytes } from '../domain/bytes.ts';
import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const { ok, warn, fail } = about('memory');
const mib = 2 ** 20;
/** What the platform, a build and one app want. */
const least = { toRun: 400 * mib, toBuild: 900 * mib };

export function checkMemory(host: Host): Finding[] {
  const text = host.read('/proc/meminfo') ?? '';
  const of = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
  const [total, available, swap, swapFree] = ['MemTotal', 'MemAvailable', 'SwapTotal', 'SwapFree'].map(
    of,
  ) as [...[number, number, number, number]];
  if (Number.isNaN(total) || Number.isNaN(available)) return [];
  return [size(total), room(total, available), ...swapRoom(swap, swapFree)];
}

function size(total: number): Finding {
  const message = `The host has ${formatBytes(total)} of memory`;
  if (total < least.toRun)
    return fail(message, 'Give it 1 GB or more: builds and apps would end for lack of it.');
  if (total < least.toBuild)
    return warn(message, 'Builds may end for lack of it. Give the host more, or swap.');
  return ok(message);
}

function room(total: number, available: number): Finding {
  const message = `${formatBytes(available)} of it can be had now`;
  return available < total / 10
    ? warn(message, 'See host:report and ps:report for who has it; let apps sleep (autoscale:set APP min=0).')
    : ok(message);
}

/** Apps take none; what sleeps lightly gives back what it did not touch for long to it. */
function swapRoom(swap: number, free: number): Finding[] {
  if (Number.isNaN(swap) || swap === 0)
    return [ok('There is no swap: apps that sleep lightly keep their memory until they sleep deeply')];
  const message = `${formatBytes(free)} of ${formatBytes(swap)} of swap are free`;
  return [
    free < swap / 10
      ? warn(message, 'Add swap, or let apps sleep deeply sooner (autoscale:set APP deep-after=5m).')
      : ok(message),
  ];
}

import { readFileSync } from 'node:fs';
import { readPressure } from './pressure.ts';

/** Percent of the last ten seconds in which some task waited for memory. */
const tight = 10;
/** Percent of all memory that can be had without anything being stopped. */
const little = 5;

type Files = { readonly pressure: string; readonly meminfo: string };

const kernel: Files = { pressure: '/proc/pressure/memory', meminfo: '/proc/meminfo' };

/** Whether the host is short of memory now: tasks wait for it, or next to nothing of it is left. */
export function createMemoryPressure(files: Files = kernel): () => boolean {
  return () => (readPressure(files.pressure) ?? 0) > tight || availablePercent(files.meminfo) < little;
}

/** All of it where the kernel does not tell. */
function availablePercent(file: string): number {
  try {
    const text = readFileSync(file, 'utf8');
    const figure = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
    const percent = (100 * figure('MemAvailable')) / figure('MemTotal');
    return Number.isFinite(percent) ? percent : 100;
  } catch {
    return 100;
  }
}

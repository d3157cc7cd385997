import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

const units = {
  b: 1 / 2 ** 20,
  k: 2 ** -10,
  kb: 2 ** -10,
  m: 1,
  mb: 1,
  mib: 1,
  g: 2 ** 10,
  gb: 2 ** 10,
  gib: 2 ** 10,
  t: 2 ** 20,
  tb: 2 ** 20,
};
const mib = 2 ** 20;

/** Smallest memory limit, in bytes: below it not even a shell starts reliably. */
export const smallestMemory = 4 * mib;
/** Largest memory limit, in bytes: 4 TiB. More is taken for a typing mistake. */
export const largestMemory = 4 * 2 ** 40;

/**
 * Parses a memory amount into bytes. A bare number is MiB, as dokku's `--memory`; units b, k, m, g, t (binary).
 * Range 4 MiB to 4 TiB.
 * @throws invalid
 */
export const parseMemory = (text: string): number => parseAmount('Memory', text, smallestMemory);

/** A file system of less is little else than its own notes. */
const smallestDisk = 16 * mib;

/** As memory is written. Range 16 MiB to 4 TiB. @throws invalid */
export const parseDisk = (text: string): number => parseAmount('Disk', text, smallestDisk);

function parseAmount(what: string, text: string, smallest: number): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = match ? units[(match[2] || 'm').toLowerCase() as keyof typeof units] : undefined;
  if (!match || factor === undefined) {
    throw new WherryError(
      'invalid',
      `${what} ${quoteForPeople(text)} is not an amount. Give megabytes or a unit, as in 512, 512m or 1g.`,
    );
  }
  const bytes = Math.round(Number(match[1]) * factor * mib);
  if (bytes < smallest || bytes > largestMemory) {
    throw new WherryError(
      'invalid',
      `${what} ${quoteForPeople(text)} is out of range. Give between ${formatBytes(smallest)} and 4t.`,
    );
  }
  return bytes;
}

/** Bytes as people write them: `512m`, `1g`, `1.5g`; below 1 MiB in kilobytes. */
export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 30) return `${trim(bytes / 2 ** 30)}g`;
  if (bytes >= mib) return `${trim(bytes / mib)}m`;
  return `${trim(bytes / 1024)}k`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(1)));
}

import { largestMemory, parseMemory } from './bytes.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** How much disk Wherry may take: bytes of its own, or how full the file system may be; `none` is no bound. */
export type DiskBudget =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'none' };

/** Properties of the platform, as `disk:set --global` names them, and what they are unless set. */
export const diskProperties = {
  /** Above it, what can be made again is deleted. */
  budget: '90%',
  /** Bytes that must be free for a build to begin. */
  reserve: '512m',
} as const;

export type DiskProperty = keyof typeof diskProperties;

export function diskPropertyName(property: DiskProperty): string {
  return `disk-${property}`;
}

/** `20g`, `80%` (10 to 99) or `none`. @throws invalid */
export function parseDiskBudget(text: string): DiskBudget {
  if (text === 'none') return { kind: 'none' };
  const percent = Number(/^(\d{1,3})%$/.exec(text)?.[1] ?? Number.NaN);
  if (percent >= 10 && percent <= 99) return { kind: 'percent', percent };
  if (/^\d+(\.\d+)?[kmgt]i?b?$/i.test(text)) return { kind: 'bytes', bytes: parseMemory(text) };
  throw new WherryError(
    'invalid',
    `Budget ${quoteForPeople(text)} is not an amount of disk. Give one as 20g, how full the file system may be from 10% to 99%, or none.`,
  );
}

/** Bytes, from `512m`, `2g` or `0`. @throws invalid */
export function parseReserve(text: string): number {
  if (text === '0') return 0;
  if (/^\d+(\.\d+)?[kmgt]i?b?$/i.test(text)) return Math.min(parseMemory(text), largestMemory);
  throw new WherryError(
    'invalid',
    `Reserve ${quoteForPeople(text)} is not an amount of disk. Give one as 512m or 2g, or 0.`,
  );
}

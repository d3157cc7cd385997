import { largestMemory, parseMemory } from './bytes.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

const mib = 2 ** 20;

/** Settings of the host, as `host:set` names them, and what they are unless set. */
export const hostSettings = {
  'memory-reserve': {
    usual: '',
    help: 'memory left to the system and the platform, as 1g; a tenth of the host and at least 512m unless set',
    parse: (text: string) => Math.min(parseMemory(text), largestMemory),
  },
  overcommit: {
    usual: '1',
    help: 'how many times the rest may be promised, from 1 to 10; above 1 the host can run out when all use what they may',
    parse: parseFactor,
  },
} as const;

export type HostSetting = keyof typeof hostSettings;

export const hostSettingNames = Object.keys(hostSettings) as readonly HostSetting[];

/** The global property that a setting is stored under. */
export function hostKey(name: HostSetting): string {
  return `host-${name}`;
}

/** Bytes that a host of `total` bytes keeps for itself unless told. */
export function usualReserve(total: number): number {
  return Math.max(512 * mib, Math.floor(total / 10));
}

/** Bytes that instances and builds may be promised together. @param get what is stored of a setting */
export function memoryBudget(total: number, get: (name: HostSetting) => string | undefined): number {
  const set = get('memory-reserve');
  const reserve = set === undefined ? usualReserve(total) : hostSettings['memory-reserve'].parse(set);
  const factor = parseFactor(get('overcommit') ?? hostSettings.overcommit.usual);
  return Math.floor(Math.max(0, total - reserve) * factor);
}

function parseFactor(text: string): number {
  const factor = /^\d{1,2}(\.\d{1,2})?$/.test(text) ? Number(text) : Number.NaN;
  if (factor >= 1 && factor <= 10) return factor;
  throw new WherryError(
    'invalid',
    `overcommit=${quoteForPeople(text)} is not a number from 1 to 10. Give 1 to promise each byte once, or as 1.5.`,
  );
}

import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds, from `90`, `90s`, `15m`, `2h`; a bare number is seconds. @throws invalid */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text);
  if (!match)
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is not a duration. Give for example 90s, 15m or 2h.`,
    );
  return Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units];
}

/** In the largest unit that needs no fraction: `90s`, `15m`, `2h`. */
export function formatDuration(milliseconds: number): string {
  const whole = (['h', 'm', 's'] as const).find(unit => milliseconds > 0 && milliseconds % units[unit] === 0);
  return whole === undefined ? `${milliseconds}ms` : `${milliseconds / units[whole]}${whole}`;
}

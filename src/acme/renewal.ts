import { createHash } from 'node:crypto';

export type Life = { readonly notBefore: Date; readonly notAfter: Date };

const minute = 60_000;
const day = 24 * 60 * minute;

/**
 * When a certificate is renewed: after two thirds of its life, or `grace` milliseconds before its end where that is set, though
 * never before half of its life. Hosts differ by up to a twentieth of the life, so that what was issued together is not renewed at once.
 */
export function renewalTime({ notBefore, notAfter }: Life, host: string, grace?: number): Date {
  const life = notAfter.getTime() - notBefore.getTime();
  const wanted = grace === undefined ? (life * 2) / 3 : Math.max(life - grace, life * 0.55);
  return new Date(
    notBefore.getTime() + Math.round(wanted - shareOf(host) * Math.min(life / 20, life - wanted)),
  );
}

/** The host's own moment of the window that the authority suggests (RFC 9773 section 4.2). */
export function momentIn({ start, end }: { start: Date; end: Date }, host: string): Date {
  return new Date(start.getTime() + Math.round(shareOf(host) * Math.max(end.getTime() - start.getTime(), 0)));
}

/** Milliseconds until the next try: a quarter of an hour after the first failure, twice that after each more, up to a day. */
export function backOff(failures: number, host: string): number {
  const wait = Math.min(15 * minute * 2 ** Math.min(failures - 1, 10), day);
  return Math.round(wait * (1 + shareOf(host) / 5));
}

/** How close a certificate is to its end. */
export type Alarm = 'soon' | 'very soon' | 'expired';

/** Whether somebody should be told: at a sixth of its life before the end, at a twentieth, and when it is over. */
export function alarmOf({ notBefore, notAfter }: Life, now: Date): Alarm | undefined {
  const life = notAfter.getTime() - notBefore.getTime();
  const left = notAfter.getTime() - now.getTime();
  if (left <= 0) return 'expired';
  if (left <= life / 20) return 'very soon';
  return left <= life / 6 ? 'soon' : undefined;
}

/** 0 to 1, always the same for a host. */
function shareOf(host: string): number {
  return createHash('sha256').update(host).digest().readUInt32BE(0) / 2 ** 32;
}

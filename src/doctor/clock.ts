import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const { ok, warn, fail } = about('clock');
/** Milliseconds. An answer's time has whole seconds and was some time on its way. */
const tolerated = 5_000;
const harmful = 60_000;

/** Certificates, tokens and cron go by the clock. */
export async function checkClock(host: Host): Promise<Finding[]> {
  const ahead = await host.clockAhead();
  if (ahead === undefined) return [ok('The clock was not compared: there is no network')];
  const off = Math.abs(ahead);
  if (off <= tolerated) return [ok('The clock is right')];
  const message = `The clock is ${Math.round(off / 1000)} seconds ${ahead > 0 ? 'ahead' : 'behind'}`;
  const remedy = 'Have it set by the network: apt-get install systemd-timesyncd (or chrony).';
  return [off > harmful ? fail(message, remedy) : warn(message, remedy)];
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../support/run.ts';
import { host } from './contenders.ts';

export type Load = {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
  /** Milliseconds that each connection rests between two requests; none: it asks as fast as it is answered. */
  readonly rest?: number;
};

export type Outcome = {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p99: number;
  readonly failed: number;
};

const script = `
function delay() return rest and math.random(1, 2 * rest - 1) or 0 end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"seconds":%f,"p99":%f,"failed":%d}\\n', summary.requests, summary.bytes,
    summary.duration / 1e6, latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Asks by wrk, and sees to it that all was answered. */
export async function load(
  dir: string,
  { port, path, connections, seconds, core, rest }: Load,
): Promise<Outcome> {
  const file = join(dir, `wrk-${rest ?? 'busy'}.lua`);
  // A script with \`delay\` costs wrk time even where the delay is none.
  writeFileSync(
    file,
    rest === undefined ? script.replace(/^function delay.*$/m, '') : `rest = ${rest}\n${script}`,
  );
  const about = [`-t1`, `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-H', `Host: ${host}`];
  const text = await must(
    'taskset',
    ['-c', String(core), 'wrk', ...about, '-s', file, `http://127.0.0.1:${port}${path}`],
    { timeout: seconds * 1000 + 60_000 },
  );
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line);
}

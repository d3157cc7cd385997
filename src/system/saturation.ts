import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/** Share of the last ten seconds, in percent, in which some task waited for a processor, above which they are short. */
const fullPressure = 60;
/** Runnable tasks a processor, where the kernel does not tell pressure. */
const fullLoad = 3;

/** Whether the host's processors are short now: by pressure stall information, or the load average where there is none. */
export function createSaturation(file = '/proc/pressure/cpu'): () => boolean {
  return () => {
    const pressure = readPressure(file);
    if (pressure !== undefined) return pressure > fullPressure;
    return (loadavg()[0] ?? 0) > fullLoad * availableParallelism();
  };
}

/** `some avg10` of a pressure file, in percent; undefined where the kernel has none. */
function readPressure(file: string): number | undefined {
  try {
    const value = /^some avg10=([\d.]+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    return value === undefined ? undefined : Number(value);
  } catch {
    return undefined;
  }
}

import { availableParallelism, loadavg } from 'node:os';
import { readPressure } from './pressure.ts';

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

import { readFileSync } from 'node:fs';

/** `some avg10` of a pressure file: the share of the last ten seconds, in percent, in which some task waited; undefined without one. */
export function readPressure(file: string): number | undefined {
  try {
    const value = /^some avg10=([\d.]+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    return value === undefined ? undefined : Number(value);
  } catch {
    return undefined;
  }
}

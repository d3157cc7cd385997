import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Process ids of a data directory's edge. */
export function edgePids(data: string): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && isEdgeOf(name, data))
    .map(Number);
}

function isEdgeOf(pid: string, data: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('edge') && readlinkSync(`/proc/${pid}/cwd`) === join(data, 'edge');
  } catch {
    // It ended meanwhile.
    return false;
  }
}

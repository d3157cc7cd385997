import { readdirSync } from 'node:fs';

/** Names in a folder, and with `recursive` paths below it; none of one that is not there or cannot be read. */
export function list(dir: string, { recursive = false } = {}): readonly string[] {
  try {
    return readdirSync(dir, { recursive, encoding: 'utf8' });
  } catch {
    return [];
  }
}

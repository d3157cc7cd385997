import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { WherryError } from './domain/errors.ts';

/** The process that a pid file names, if it is alive and is a `wherry daemon` (its command line says so). */
export function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('daemon') ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the data directory for this process. @throws conflict when another daemon has it */
export function claimPid(file: string): () => void {
  const holder = readPid(file);
  if (holder !== undefined && holder !== process.pid) {
    throw new WherryError(
      'conflict',
      `A daemon runs on this data directory already (process ${holder}). Stop it first, or choose another --data.`,
    );
  }
  writeFileSync(file, String(process.pid), { mode: 0o644 });
  return () => rmSync(file, { force: true });
}

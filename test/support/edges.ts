import { readdirSync, readFileSync } from 'node:fs';

/** Process ids of the edges of a data directory. */
export function edgesOf(data: string): number[] {
  const pids = readdirSync('/proc').filter(name => /^[1-9][0-9]*$/.test(name));
  return pids.map(Number).filter(pid => {
    const words = wordsOf(pid);
    return words.includes('edge') && words[words.indexOf('--dir') + 1] === `${data}/edge`;
  });
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

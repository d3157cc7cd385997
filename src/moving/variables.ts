import { parseConfigKey } from '../domain/names.ts';
import type { Notes } from './moves.ts';
import { sift } from './sift.ts';

/** Sets config variables without showing a value: they go on standard input. Returns those that Wherry takes. */
export function moveVariables(
  notes: Notes,
  app: string,
  values: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const kept = new Map(sift([...values], notes.left, ([key]) => parseConfigKey(key)));
  const count = kept.size === 1 ? '1 variable' : `${kept.size} variables`;
  if (kept.size > 0)
    notes.steps.push({
      words: ['config:import', '--no-restart', '--format', 'json', app, '-'],
      stdin: JSON.stringify(Object.fromEntries(kept)),
      note: `${count}: ${[...kept.keys()].sort().join(', ')}`,
    });
  return kept;
}

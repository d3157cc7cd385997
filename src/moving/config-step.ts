import type { Step } from './moves.ts';

/** Sets config variables without showing a value: they go on standard input. */
export function configStep(app: string, values: ReadonlyMap<string, string>): Step {
  return {
    words: ['config:import', '--no-restart', '--format', 'json', app, '-'],
    stdin: JSON.stringify(Object.fromEntries(values)),
    note: `${values.size === 1 ? '1 variable' : `${values.size} variables`}: ${[...values.keys()].sort().join(', ')}`,
  };
}

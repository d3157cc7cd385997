import type { App } from '../domain/app.ts';
import { dockerOptionsKey, phaseOf, readRunOptions } from '../domain/docker-option.ts';
import type { RunOptions } from '../domain/docker-run-option.ts';
import type { Limits } from '../domain/quota.ts';
import { type LimitRow, resolveLimits } from '../store/limits.ts';
import type { Store } from '../store/store.ts';

/** What docker-options ask for of instances of a type, read once for each phase. */
export function runOptionsOf(
  { properties }: Pick<Store, 'properties'>,
  app: App,
): (type: string) => RunOptions {
  const read = new Map<string, RunOptions>();
  return type => {
    const phase = phaseOf(type);
    const known =
      read.get(phase) ?? readRunOptions(properties.list(`app:${app.id}`, dockerOptionsKey(phase)));
    read.set(phase, known);
    return known;
  };
}

/** What limits say, else what options of docker do, else what is usual. */
export function limitsOf(
  rows: readonly LimitRow[],
  options: (type: string) => RunOptions,
): (type: string) => Limits {
  return type => resolveLimits(rows, type, options(type));
}

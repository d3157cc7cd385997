import type { App } from '../domain/app.ts';
import { readRunOptions } from '../domain/docker-option.ts';
import { optionsFor } from '../domain/docker-option-place.ts';
import type { RunOptions } from '../domain/docker-run-option.ts';
import { type Isolation, isolationKey, readIsolation } from '../domain/isolation.ts';
import type { Limits } from '../domain/quota.ts';
import { type LimitRow, resolveLimits } from '../store/limits.ts';
import type { Store } from '../store/store.ts';

/** What docker-options ask for of instances of a type, read once for each type. */
export function runOptionsOf(
  { properties }: Pick<Store, 'properties'>,
  app: App,
): (type: string) => RunOptions {
  const read = new Map<string, RunOptions>();
  return type => {
    const known = read.get(type) ?? readRunOptions(optionsFor(properties, `app:${app.id}`, type));
    read.set(type, known);
    return known;
  };
}

/** Nothing for the usual one. */
export function isolationOf(
  { properties }: Pick<Store, 'properties'>,
  app: App,
): { isolation?: Exclude<Isolation, 'runc'> } {
  const isolation = readIsolation(properties.resolve(app.id, isolationKey));
  return isolation === 'runc' ? {} : { isolation };
}

/** What limits say, else what options of docker do, else what is usual. */
export function limitsOf(
  rows: readonly LimitRow[],
  options: (type: string) => RunOptions,
): (type: string) => Limits {
  return type => resolveLimits(rows, type, options(type));
}

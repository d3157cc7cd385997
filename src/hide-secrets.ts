import { createMask, type Mask } from './build/mask.ts';
import type { Store } from './store/store.ts';

/** For a line that nobody can say is free of them. */
const untold = `${JSON.stringify({ level: 50, msg: 'an error while config could not be read, so that it is not told' })}\n`;

/** Milliseconds that the values are known for. */
const fresh = 10_000;

/** Takes the values of all config out of a line of JSON, as an error that nobody expected may hold them. */
export function hideSecrets(store: Store, ticks: () => number): (line: string) => string {
  let known: { readonly mask: Mask; readonly at: number } | undefined;
  return line => {
    try {
      if (!known || ticks() - known.at > fresh) known = { mask: createMask(everyValue(store)), at: ticks() };
    } catch {
      // The database may be closed, or what is wrong. To log must never be what fails.
    }
    return known ? known.mask.text(line) : untold;
  };
}

function everyValue({ apps, config }: Store): Readonly<Record<string, string>> {
  const values = [config.own('global'), ...apps.list().map(config.own)].flatMap(each => Object.values(each));
  // In JSON, quotes and line ends look otherwise.
  const written = values.map(value => JSON.stringify(value).slice(1, -1));
  return Object.fromEntries([...new Set([...values, ...written])].map((value, at) => [String(at), value]));
}

import { parseMemory } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import { parseProcessType, quoteForPeople } from '../../domain/names.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

const everyType = '_default_';

/** Limits and reservations of memory and CPU; others have no meaning here. */
export async function moveLimits(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('resource', app);
  for (const [key, value] of report ?? []) {
    if (value === '') continue;
    const [, type = '', kind, what = ''] =
      /^(.{1,80}?)[.-](limit|reserve)[.-](cpu|memory|memory-swap|network|network-ingress|network-egress|nvidia-gpu)$/.exec(
        key,
      ) ?? [];
    if (kind === undefined) continue;
    const [limit] = sift([value], host.left, each => check(type, what, each));
    if (limit === undefined) continue;
    if (what === 'memory' || what === 'cpu')
      host.step(`resource:${kind}`, `--${what}`, limit, '--process-type', type, app);
    else host.left.push(`Its ${kind} of ${what} (${quoteForPeople(value)}) for ${type} has no meaning here.`);
  }
}

function check(type: string, what: string, value: string): void {
  if (type !== everyType) parseProcessType(type);
  if (what === 'memory') parseMemory(value.toLowerCase().replace(/b$/, ''));
  else if (!/^[\w.]{1,20}$/.test(value))
    throw new WherryError('invalid', `Limit ${quoteForPeople(value)} of ${what} is not a number.`);
}

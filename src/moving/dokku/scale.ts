import { parseProcessType } from '../../domain/names.ts';
import { parseRestartPolicy, parseStopTimeout } from '../../domain/upkeep.ts';
import { malformed, parseJson } from '../answers.ts';
import { sift } from '../sift.ts';
import { movePath } from './builds.ts';
import { type DokkuHost, listed } from './host.ts';

/** What dokku has when nobody set it: no wish of anybody's. */
const usualPolicies = ['on-failure:10', ''];

/** How many of each process run. */
export async function moveScale(host: DokkuHost, app: string): Promise<void> {
  const counts = await host.read(['ps:scale', app], readScale);
  const known = sift(counts ?? [], host.left, ([type]) => parseProcessType(type));
  if (known.length > 0) host.step('ps:scale', app, ...known.map(([type, count]) => `${type}=${count}`));
}

/** How processes are kept and ended. */
export async function moveUpkeep(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('ps', app);
  const policy = report?.get('restart-policy') ?? '';
  const timeout = report?.get('stop-timeout-seconds') ?? '';
  const procfile = report?.get('procfile-path') ?? '';
  if (!usualPolicies.includes(policy))
    for (const each of sift([policy], host.left, parseRestartPolicy))
      host.step('ps:set', app, 'restart-policy', each);
  if (timeout !== '')
    for (const each of sift([timeout], host.left, parseStopTimeout))
      host.step('ps:set', app, 'stop-timeout-seconds', each);
  if (procfile !== 'Procfile') movePath(host, ['ps:set', app, 'procfile-path'], procfile);
  if (report?.get('running') === 'false' && report.get('deployed') === 'true')
    host.left.push('It does not run there. After the first deploy: ps:stop, if it is to stay so.');
}

/** `web:  1` a line, in older forms with a table's head; JSON where that is what came. */
function readScale(out: string): readonly (readonly [string, number])[] {
  if (out.trimStart().startsWith('[')) return (parseJson(out) as unknown[]).map(readCount);
  return listed(out)
    .filter(line => !/^(proctype|-+):/.test(line))
    .map(line => {
      const [, type = '', count] = /^(\S{1,100}):\s+(\d{1,4})$/.exec(line) ?? [];
      if (count === undefined) throw malformed('a line of the scale is not "web: 1"');
      return [type, Number(count)] as const;
    });
}

function readCount(entry: unknown): readonly [string, number] {
  const { process_type: type, quantity } = (entry ?? {}) as Record<string, unknown>;
  if (typeof type === 'string' && typeof quantity === 'number' && Number.isInteger(quantity) && quantity >= 0)
    return [type, quantity];
  throw malformed('an entry of the scale has no process or number');
}

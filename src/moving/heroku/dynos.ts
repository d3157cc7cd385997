import { parseProcessType, quoteForPeople } from '../../domain/names.ts';
import { malformed } from '../answers.ts';
import { sift } from '../sift.ts';
import type { HerokuApp } from './cli.ts';

/** Memory of Heroku's dynos, by the names of their sizes. */
const sizes: Readonly<Record<string, string>> = {
  ...{ eco: '512m', basic: '512m', free: '512m', hobby: '512m', 'standard-1x': '512m', 'standard-2x': '1g' },
  ...{ 'performance-m': '2560m', 'performance-l': '14g', 'performance-l-ram': '30g' },
};
/** What every process has here unless told. */
const usual = '512m';

type Dyno = { readonly type: string; readonly count: number; readonly size: string };

/** How many of each process run, in how much memory. */
export async function moveDynos(app: HerokuApp): Promise<void> {
  const dynos = await app.read(['ps:scale'], readScale);
  const known = sift(dynos, app.left, ({ type }) => parseProcessType(type));
  for (const { type, size } of known) {
    const memory = sizes[size.toLowerCase()];
    if (memory === undefined)
      app.left.push(`Size ${quoteForPeople(size)} of ${type} is not known. Limit it by hand: resource:limit`);
    else if (memory !== usual)
      app.step('resource:limit', '--memory', memory, '--process-type', type, app.name);
  }
  if (known.length > 0) app.step('ps:scale', app.name, ...known.map(({ type, count }) => `${type}=${count}`));
}

/** `web=1:Basic worker=0:Standard-2X`; a sentence for an app that was never deployed. */
function readScale(out: string): readonly Dyno[] {
  if (/^(No process types|Error: No process types)/.test(out.trim()) || out.trim() === '') return [];
  return out
    .trim()
    .split(/\s+/)
    .map(word => {
      const [, type = '', count, size = ''] = /^([\w.-]{1,100})=(\d{1,4}):([\w.-]{1,60})$/.exec(word) ?? [];
      if (count === undefined) throw malformed('its scale is not as "web=1:Basic"');
      return { type, count: Number(count), size };
    });
}

import {
  allTypes,
  type CheckProperty,
  checkProperties,
  parseCheckSetting,
} from '../../domain/check-settings.ts';
import { parseProcessType } from '../../domain/names.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

const lists = { 'disabled-list': 'checks:disable', 'skipped-list': 'checks:skip' } as const;

/** How its processes are waited for; the checks themselves come with app.json. */
export async function moveChecks(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('checks', app);
  for (const property of Object.keys(checkProperties) as CheckProperty[]) {
    const value = report?.get(property) ?? '';
    if (value !== '' && sift([value], host.left, each => parseCheckSetting(property, each)).length > 0)
      host.step('checks:set', app, property, value);
  }
  for (const [key, command] of Object.entries(lists)) {
    const listed = (report?.get(key) ?? '').split(/[\s,]+/).filter(each => each !== '' && each !== 'none');
    const types = sift(listed, host.left, each => each === allTypes || parseProcessType(each));
    if (types.includes(allTypes)) host.step(command, app);
    else if (types.length > 0) host.step(command, app, types.join(','));
  }
}

import { quoteForPeople } from '../../domain/names.ts';
import { malformed, parseObjects } from '../answers.ts';
import type { HerokuApp } from './cli.ts';

/** What does the work of an add-on here. */
const instead: Readonly<Record<string, string>> = {
  scheduler: 'Write its jobs into cron of app.json.',
  'heroku-postgresql': 'Get its data: heroku pg:backups:capture, heroku pg:backups:download.',
  papertrail: 'Output is kept and searched here: logs --grep.',
  logentries: 'Output is kept and searched here: logs --grep.',
};

/** Add-ons stay at Heroku; config variables that they set keep working until they are gone. */
export async function tellAddons(app: HerokuApp, variables: ReadonlyMap<string, string>): Promise<void> {
  const addons = await app.read(['addons', '--json'], out => parseObjects(out).map(readAddon));
  for (const { service, keys } of addons) {
    const kept = keys.filter(key => variables.has(key));
    const until =
      kept.length > 0
        ? ` What it is reached by came along, and is good until the add-on goes: ${kept.join(', ')}.`
        : '';
    const hint = Object.hasOwn(instead, service) ? ` ${instead[service]}` : '';
    app.left.push(`Add-on ${quoteForPeople(service)} does not come.${until}${hint}`);
  }
}

function readAddon(addon: Readonly<Record<string, unknown>>): { service: string; keys: readonly string[] } {
  const { addon_service: service, config_vars: keys } = addon as {
    addon_service?: { name?: unknown } | null;
    config_vars?: unknown;
  };
  if (typeof service?.name !== 'string') throw malformed('an add-on has no name');
  return {
    service: service.name,
    keys: Array.isArray(keys) ? keys.filter(key => typeof key === 'string') : [],
  };
}

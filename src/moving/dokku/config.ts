import { WherryError } from '../../domain/errors.ts';
import { parseConfigKey, quoteForPeople } from '../../domain/names.ts';
import { configStep } from '../config-step.ts';
import { moveEmail } from './certs.ts';
import type { DokkuHost } from './host.ts';
import { malformed, parseObject } from './report.ts';

/** dokku's own: settings of old versions, which later ones keep elsewhere, and what a deploy sets by itself. */
const own = /^(DOKKU_(?!POSTGRES_|REDIS_|MYSQL_|MARIADB_|MONGO_).*|GIT_REV|NO_VHOST|BUILDPACK_URL_CACHE)$/;

/** Config variables of an app or, for `--global`, of all. */
export async function moveConfig(host: DokkuHost, there: string): Promise<void> {
  const values = await host.read(['config:export', '--format', 'json', there], readConfig);
  if (!values) return;
  const email = values.get('DOKKU_LETSENCRYPT_EMAIL');
  if (email !== undefined) moveEmail(host, there, email);
  const kept = new Map([...values].filter(([key]) => !own.test(key) && taken(host, key)));
  if (kept.size > 0) host.steps.push(configStep(there, kept));
  for (const [key, value] of kept) {
    const service = /@dokku-([a-z]{1,20})-([\w.-]{1,60})[:/]/.exec(value);
    if (service)
      host.left.push(
        `${key} leads to the ${service[1]} service ${service[2]} of that host. Point it to where its data will be: config:set ${there} ${key}=...`,
      );
  }
}

function readConfig(out: string): ReadonlyMap<string, string> {
  const entries = Object.entries(out.trim() === '' ? {} : parseObject(out));
  return new Map(
    entries.map(([key, value]) => {
      if (typeof value !== 'string') throw malformed('a config variable is no text');
      return [key, value];
    }),
  );
}

function taken(host: DokkuHost, key: string): boolean {
  try {
    parseConfigKey(key);
    return true;
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    host.left.push(`Config variable ${quoteForPeople(key)} has a name that no program can read. Rename it.`);
    return false;
  }
}

import { parseTexts } from '../answers.ts';
import { moveVariables } from '../variables.ts';
import { moveEmail } from './certs.ts';
import type { DokkuHost } from './host.ts';

/** dokku's own: settings of old versions, which later ones keep elsewhere, and what a deploy sets by itself. */
const own = /^(DOKKU_(?!POSTGRES_|REDIS_|MYSQL_|MARIADB_|MONGO_).*|GIT_REV|NO_VHOST|BUILDPACK_URL_CACHE)$/;

/** Config variables of an app or, for `--global`, of all. */
export async function moveConfig(host: DokkuHost, there: string): Promise<void> {
  const values = await host.read(['config:export', '--format', 'json', there], readConfig);
  if (!values) return;
  const email = values.get('DOKKU_LETSENCRYPT_EMAIL');
  if (email !== undefined) moveEmail(host, there, email);
  const kept = moveVariables(host, there, new Map([...values].filter(([key]) => !own.test(key))));
  for (const [key, value] of kept) {
    const service = /@dokku-([a-z]{1,20})-([\w.-]{1,60})[:/]/.exec(value);
    if (service)
      host.left.push(
        `${key} leads to the ${service[1]} service ${service[2]} of that host. Point it to where its data will be: config:set ${there} ${key}=...`,
      );
  }
}

function readConfig(out: string): ReadonlyMap<string, string> {
  return out.trim() === '' ? new Map() : parseTexts(out);
}

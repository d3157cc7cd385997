import { parseDomain } from '../../domain/names.ts';
import { malformed, parseObjects } from '../answers.ts';
import { sift } from '../sift.ts';
import type { HerokuApp } from './cli.ts';

/** An app's own domains; Heroku's name for it stays Heroku's. */
export async function moveDomains(app: HerokuApp): Promise<void> {
  const names = await app.read(['domains', '--json'], out =>
    parseObjects(out).flatMap(({ kind, hostname }) => {
      if (typeof hostname !== 'string') throw malformed('a domain has no hostname');
      return kind === 'heroku' || /\.herokuapp\.com$/i.test(hostname) ? [] : [hostname];
    }),
  );
  const domains = sift(names, app.left, parseDomain);
  if (domains.length === 0) return;
  app.step('domains:add', app.name, ...domains);
  app.later.push(
    `Point ${domains.join(', ')} to this host, then get certificates: letsencrypt:enable ${app.name}`,
  );
}

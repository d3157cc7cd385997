import { WherryError } from '../../domain/errors.ts';
import { type AppName, parseAppName } from '../../domain/names.ts';
import type { Here } from '../here.ts';
import type { AppMoves, Plan } from '../moves.ts';
import { sift } from '../sift.ts';
import { moveBuilder, moveBuildpacks } from './builds.ts';
import { moveCertificate } from './certs.ts';
import { moveChecks } from './checks.ts';
import { moveConfig } from './config.ts';
import { tellCron } from './cron.ts';
import { moveDockerOptions } from './docker-options.ts';
import { moveDomains } from './domains.ts';
import { moveCode } from './git.ts';
import { type DokkuHost, listed } from './host.ts';
import { moveHost } from './host-wide.ts';
import { moveNetworks } from './networks.ts';
import { movePorts } from './ports.ts';
import { moveLimits } from './resource.ts';
import { moveScale, moveUpkeep } from './scale.ts';
import { findServices, tellServices } from './services.ts';
import { moveStorage } from './storage.ts';
import { tellUnmoved } from './unmoved.ts';
import { moveHttpAuth, moveMaintenance, moveProxy, moveRedirects } from './visitors.ts';

const mostApps = 1000;

/**
 * Asks a dokku host for the apps, or all of them, and says what brings them here. Changes nothing anywhere.
 * @throws app-not-found for one that is not there; invalid when the host does not answer as dokku does
 */
export async function planDokku(host: DokkuHost, wanted: readonly AppName[], here: Here): Promise<Plan> {
  const there = await listApps(host, wanted);
  const apps: AppMoves[] = [];
  const services = await findServices(host);
  const networks = new Set(await here.networks());
  if (wanted.length === 0) await moveHost(host);
  for (const app of there) apps.push(await planApp(host.another(), app, { here, services, networks }));
  return { from: host.address, host, apps };
}

async function planApp(
  host: DokkuHost,
  app: AppName,
  { here, services, networks }: { here: Here; services: readonly string[]; networks: Set<string> },
): Promise<AppMoves> {
  if (!here.has(app)) host.step('apps:create', app);
  await moveConfig(host, app);
  await moveDomains(host, app);
  await movePorts(host, app);
  await moveCertificate(host, app);
  await moveProxy(host, app);
  await moveHttpAuth(host, app);
  await moveRedirects(host, app);
  await moveMaintenance(host, app);
  await moveStorage(host, app, here);
  await moveLimits(host, app);
  await moveUpkeep(host, app);
  await moveChecks(host, app);
  await moveNetworks(host, app, networks);
  await moveScale(host, app);
  await moveBuilder(host, app);
  await moveBuildpacks(host, app);
  await moveDockerOptions(host, app);
  await moveCode(host, app);
  await tellCron(host, app);
  await tellServices(host, app, services);
  await tellUnmoved(host, app);
  const { steps, later, left } = host;
  return { app, steps, later, left };
}

async function listApps(host: DokkuHost, wanted: readonly AppName[]): Promise<readonly AppName[]> {
  const answer = await host.ask('apps:list');
  if (answer.kind !== 'said')
    throw new WherryError(
      'invalid',
      `${host.address} does not answer apps:list as dokku does. Check the host.`,
    );
  const names = listed(answer.out).filter(name => !/^You haven't deployed/.test(name));
  if (names.length > mostApps)
    throw new WherryError(
      'invalid',
      `${host.address} lists more than ${mostApps} apps. Name some with --app.`,
    );
  const missing = wanted.find(name => !names.includes(name));
  if (missing !== undefined)
    throw new WherryError('app-not-found', `App ${missing} does not exist on ${host.address}.`);
  if (wanted.length > 0) return wanted;
  return sift(names, host.left, parseAppName).map(parseAppName);
}

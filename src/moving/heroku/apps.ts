import type { AppName } from '../../domain/names.ts';
import type { Here } from '../here.ts';
import { type AppMoves, Notes, type Plan } from '../moves.ts';
import { tellAddons } from './addons.ts';
import { moveBuildpacks } from './buildpacks.ts';
import { type Cli, HerokuApp } from './cli.ts';
import { moveConfig } from './config.ts';
import { moveDomains } from './domains.ts';
import { moveDynos } from './dynos.ts';
import { moveInfo } from './info.ts';
import { tellSource } from './source.ts';

/**
 * Asks Heroku's client for apps, and says what brings them here. Changes nothing anywhere.
 * @param source the folder with the app's repository, for what its app.json and Procfile say
 * @throws failed, invalid, unavailable when that client does not answer as it should
 */
export async function planHeroku(
  cli: Cli,
  { apps, source, here }: { apps: readonly AppName[]; source: string | undefined; here: Here },
): Promise<Plan> {
  const moves: AppMoves[] = [];
  for (const app of apps) moves.push(await planApp(new HerokuApp(app, cli), source, here));
  return { from: 'Heroku', host: new Notes(), apps: moves };
}

async function planApp(app: HerokuApp, source: string | undefined, here: Here): Promise<AppMoves> {
  if (!here.has(app.name)) app.step('apps:create', app.name);
  const variables = await moveConfig(app);
  await moveDomains(app);
  await moveDynos(app);
  await moveBuildpacks(app);
  await moveInfo(app);
  await tellAddons(app, variables);
  if (source !== undefined) await tellSource(app, source);
  app.later.push(
    `Push its code here, from a clone of yours or of Heroku's: heroku git:clone --app ${app.name}`,
  );
  const { steps, later, left } = app;
  return { app: app.name, steps, later, left };
}

import { parseTexts } from '../answers.ts';
import { moveVariables } from '../variables.ts';
import type { HerokuApp } from './cli.ts';

/** What Heroku tells an app about itself. */
const own = /^HEROKU_(APP|RELEASE|SLUG|DYNO|BUILD)_/;

/** Config variables, those of add-ons too: they go on working from here as long as the add-on is there. */
export async function moveConfig(app: HerokuApp): Promise<ReadonlyMap<string, string>> {
  const values = await app.read(['config', '--json'], parseTexts);
  return moveVariables(app, app.name, new Map([...values].filter(([key]) => !own.test(key))));
}

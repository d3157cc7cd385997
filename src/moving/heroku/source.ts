import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { parseObject, understood } from '../answers.ts';
import type { HerokuApp } from './cli.ts';

/** Parts of app.json that only Heroku reads, with what to do. */
const unread: Readonly<Record<string, string>> = {
  addons: 'bring what the app needs of them by hand',
  environments: 'review apps and tests of pipelines are not here',
  image: 'the builder is chosen by builder:set',
  stack: 'the stack is chosen by stacks:use',
};

/** What the repository says that does not come with a push. @throws not-found for a folder without an app */
export async function tellSource(app: HerokuApp, folder: string): Promise<void> {
  const [manifest, procfile, heroku] = await Promise.all(
    ['app.json', 'Procfile', 'heroku.yml'].map(name => readSmall(join(folder, name))),
  );
  if (manifest === undefined && procfile === undefined)
    throw new WherryError(
      'not-found',
      `${quoteForPeople(folder)} has neither app.json nor Procfile. Name the folder of the app's repository.`,
    );
  if (manifest !== undefined) {
    const fields = understood('The folder', ['app.json'], () => parseObject(manifest));
    for (const [key, hint] of Object.entries(unread))
      if (key in fields) app.left.push(`"${key}" of app.json is not read here: ${hint}.`);
  }
  if (procfile === undefined)
    app.later.push('It has no Procfile: what Heroku starts by itself may differ here. Write one.');
  if (heroku !== undefined) app.left.push('heroku.yml is not read here. Its processes belong in a Procfile.');
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new WherryError('invalid', `${quoteForPeople(path)} cannot be read.`, { cause: error });
  }
}

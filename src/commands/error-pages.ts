import type { App } from '../domain/app.ts';
import {
  type ErrorPage,
  errorPages,
  maxErrorPage,
  type PageSums,
  pageKey,
  pageSumsKey,
  parsePage,
  readPageSums,
} from '../domain/error-page.ts';
import { choice } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { readStdin } from './read-stdin.ts';
import { defineReport } from './report.ts';

const page = choice('page', errorPages);

const set = defineCommand({
  name: 'error-pages:set',
  summary: 'Give an app a page of its own for what the edge answers in its place',
  description:
    'The page comes on standard input: HTML of at most 64 KiB, with all that it needs in it. 502 is for an app that fails, 503 for one that does not run or has no room, ' +
    '504 for one that is too slow, maintenance for what maintenance:enable shows. Clients that ask for JSON get JSON still.',
  examples: ['error-pages:set blog 503', 'error-pages:set blog maintenance'],
  args: { app, page },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const { stdin, signal } = context;
    const text = parsePage(await readStdin(stdin, { until: 'end', max: maxErrorPage, signal }));
    const sum = await context.pageFiles.put(text);
    await change(context, owner, { page: input.page, text, sum });
    return { app: owner.name, page: input.page, bytes: Buffer.byteLength(text) };
  },
  text: () => [],
});

const unset = defineCommand({
  name: 'error-pages:unset',
  summary: "Go back to Wherry's own page",
  examples: ['error-pages:unset blog 503'],
  args: { app, page },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    await change(context, owner, { page: input.page });
    return { app: owner.name, page: input.page };
  },
  text: () => [],
});

const report = defineReport({
  name: 'error-pages:report',
  summary: 'Show which pages one app or all have of their own, by their SHA-256',
  examples: ['error-pages:report blog', 'error-pages:report blog --error-pages-503'],
  title: 'error pages',
  prefix: 'error-pages-',
  values({ store }, each) {
    const sums = readPageSums(store.properties.get(`app:${each.id}`, pageSumsKey));
    return Object.fromEntries(errorPages.map(name => [name, sums[name] ?? '']));
  },
});

export const errorPagesCommands = [set, unset, report];

type Change = { readonly page: ErrorPage; readonly text?: string; readonly sum?: string };

async function change(context: Context, owner: App, { page: name, text, sum }: Change): Promise<void> {
  const { store, progress, deployer } = context;
  const scope = `app:${owner.id}`;
  store.transaction(() => {
    const { [name]: _, ...others } = readPageSums(store.properties.get(scope, pageSumsKey));
    const sums: PageSums = sum === undefined ? others : { ...others, [name]: sum };
    store.properties.set(scope, pageKey(name), text);
    store.properties.set(scope, pageSumsKey, Object.keys(sums).length > 0 ? JSON.stringify(sums) : undefined);
  });
  const words = `${sum === undefined ? 'Unsetting' : 'Setting'} the ${name} page`;
  progress.header(words);
  tell(context, owner, 'error-pages', words);
  await deployer.applyRoutes();
}

import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import {
  checkRedirects,
  type RedirectCode,
  type Redirects,
  readRedirects,
  redirectCodes,
  redirectsKey,
} from '../domain/redirect.ts';
import { type ArgKind, withDefault } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, domain } from './kinds.ts';
import { defineReport } from './report.ts';

const code: ArgKind<RedirectCode> = {
  word: 'code',
  required: true,
  schema: { enum: redirectCodes },
  parse(value) {
    const found = redirectCodes.find(each => String(each) === String(value));
    if (found !== undefined) return found;
    throw new WherryError(
      'invalid',
      `${JSON.stringify(String(value).slice(0, 20))} is no code of a redirect. Give one of ${redirectCodes.join(', ')}.`,
    );
  },
};

const set = defineCommand({
  name: 'redirect:set',
  summary: 'Send visitors of one domain of an app to another host, keeping path and query',
  description:
    'The source is a domain of the app, the destination any host. 301 (unless told) and 308 are for good and remembered by browsers, 302 and 307 for now; 307 and 308 keep method and body. The visitor stays on HTTP or HTTPS. A sleeping app is not woken.',
  examples: [
    'redirect:set blog www.example.org example.org',
    'redirect:set blog old.example.org example.org 302',
  ],
  args: { app, source: domain, destination: domain, code: withDefault(code, 301) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const { source, destination } = input;
    if (!context.store.domains.list(owner).includes(source))
      throw new WherryError('not-found', `Domain ${source} is not of app ${owner.name}. Add it first.`, {
        hint: `domains:add ${owner.name} ${source}`,
      });
    if (destination.startsWith('*'))
      throw new WherryError('invalid', `Visitors cannot be sent to ${destination}. Give one host.`);
    const redirects = { ...stored(context, owner), [source]: { to: destination, code: input.code } };
    checkRedirects(redirects, source);
    return apply(context, owner, {
      redirects,
      said: `Redirect of ${source} to ${destination} with ${input.code}`,
    });
  },
  text: () => [],
});

const unset = defineCommand({
  name: 'redirect:unset',
  summary: 'Let visitors of a domain through to the app again',
  examples: ['redirect:unset blog www.example.org'],
  args: { app, source: domain },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const left = Object.entries(stored(context, owner)).filter(([source]) => source !== input.source);
    if (left.length === Object.keys(stored(context, owner)).length)
      throw new WherryError(
        'not-found',
        `App ${owner.name} redirects nobody from ${input.source}. See redirect:report.`,
      );
    return apply(context, owner, {
      redirects: Object.fromEntries(left),
      said: `No redirect of ${input.source} any more`,
    });
  },
  text: () => [],
});

const report = defineReport({
  name: 'redirect:report',
  summary: 'Show from where to where visitors of one app or all are redirected',
  examples: ['redirect:report blog'],
  title: 'redirect',
  prefix: 'redirect-',
  values: (context, each) => ({
    list: Object.entries(stored(context, each))
      .map(([source, { to, code: status }]) => `${source}:${to}:${status}`)
      .join(' '),
  }),
});

export const redirectCommands = [set, unset, report];

function stored({ store }: Context, { id }: App): Redirects {
  return readRedirects(store.properties.get(`app:${id}`, redirectsKey));
}

async function apply(
  context: Context,
  owner: App,
  { redirects, said }: { redirects: Redirects; said: string },
) {
  const some = Object.keys(redirects).length > 0;
  context.store.properties.set(`app:${owner.id}`, redirectsKey, some ? JSON.stringify(redirects) : undefined);
  context.progress.step(said);
  tell(context, owner, 'redirect', said);
  await context.deployer.applyRoutes();
  return { app: owner.name, redirects };
}

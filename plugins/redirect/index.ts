import {
  type ArgKind,
  app,
  type CommandTools,
  checkRedirects,
  defineCommand,
  definePlugin,
  domain,
  quoteForPeople,
  type RedirectCode,
  type Redirects,
  redirectCodes,
  WherryError,
  withDefault,
} from '../../src/plugin/api.ts';

const code: ArgKind<RedirectCode> = {
  word: 'code',
  required: true,
  schema: { enum: redirectCodes },
  parse(value) {
    const found = redirectCodes.find(each => String(each) === String(value));
    if (found !== undefined) return found;
    throw new WherryError(
      'invalid',
      `${quoteForPeople(String(value))} is no code of a redirect. Give one of ${redirectCodes.join(', ')}.`,
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
  run(tools, input) {
    const owner = tools.app(input.app);
    const { source, destination } = input;
    if (!owner.domains.includes(source))
      throw new WherryError('not-found', `Domain ${source} is not of app ${owner.name}. Add it first.`, {
        hint: `domains:add ${owner.name} ${source}`,
      });
    if (destination.startsWith('*'))
      throw new WherryError('invalid', `Visitors cannot be sent to ${destination}. Give one host.`);
    const redirects = { ...stored(tools, owner.name), [source]: { to: destination, code: input.code } };
    checkRedirects(redirects, source);
    return apply(tools, owner.name, {
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
  run(tools, input) {
    const owner = tools.app(input.app);
    const before = Object.entries(stored(tools, owner.name));
    const left = before.filter(([source]) => source !== input.source);
    if (left.length === before.length)
      throw new WherryError(
        'not-found',
        `App ${owner.name} redirects nobody from ${input.source}. See redirect:report.`,
      );
    return apply(tools, owner.name, {
      redirects: Object.fromEntries(left),
      said: `No redirect of ${input.source} any more`,
    });
  },
  text: () => [],
});

export default definePlugin({
  name: 'redirect',
  summary: 'Sends visitors of one domain to another host',
  commands: [set, unset],
  report: (tools, name) => ({
    list: Object.entries(stored(tools, name))
      .map(([source, { to, code: status }]) => `${source}:${to}:${status}`)
      .join(' '),
  }),
});

function stored(tools: Pick<CommandTools, 'edgeRules'>, name: string): Redirects {
  return tools.edgeRules(name).redirects;
}

async function apply(
  tools: CommandTools,
  name: string,
  { redirects, said }: { redirects: Redirects; said: string },
) {
  await tools.setEdgeRules(name, { redirects });
  tools.progress.step(said);
  tools.note(name, said);
  return { app: name, redirects };
}

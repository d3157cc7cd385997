import {
  definePlugin,
  type HookEvents,
  parseRemoteUrl,
  type Tools,
  WherryError,
} from '../../src/plugin/api.ts';
import { createDeploys } from './deploys.ts';
import { allNotices, type Notice, noticeOf, parseNotices, usualNotices } from './notices.ts';
import { createOutbox } from './outbox.ts';
import { receive } from './receive.ts';

/** Of the plugin as it runs now, by the tools that it was given. */
type Running = {
  readonly outbox: ReturnType<typeof createOutbox>;
  readonly deploys: ReturnType<typeof createDeploys>;
};
const running = new WeakMap<Tools, Running>();

function notify<Name extends Notice>(hook: Name, event: HookEvents[Name], tools: Tools): undefined {
  // One that is gone or renamed has no settings under the name any more.
  const known = event.app !== null && tools.hasApp(event.app) ? event.app : undefined;
  const url = tools.setting('url', known);
  const wanted = tools.setting('events', known)?.split(' ') ?? [];
  if (url !== undefined && wanted.includes(hook))
    running.get(tools)?.outbox.send(url, { app: known, body: noticeOf(hook, event) });
}

export default definePlugin({
  name: 'webhooks',
  summary: 'Deploys when a forge says that somebody pushed, and tells other hosts what happens',
  optIn: true,
  settings: {
    repository: {
      help: 'https URL of the repository that a push deploys; for one that is not public, see git:auth',
      global: false,
      parse: text => parseRemoteUrl(text).href,
    },
    branch: { help: 'whose pushes count, the deploy branch unless set', global: false, parse: parseBranch },
    secret: {
      help: 'what GitHub and Gitea sign with, and GitLab shows as its token',
      global: false,
      secret: true,
      parse: parseSecret,
    },
    url: {
      help: 'where what happens is posted to, as JSON that chats such as Slack take',
      global: true,
      secret: true,
      parse: text => parseRemoteUrl(text).href,
    },
    events: {
      help: `what is told of, of ${allNotices.join(', ')}`,
      global: true,
      usual: usualNotices,
      parse: parseNotices,
    },
  },
  hooks: Object.fromEntries(
    allNotices.map(hook => [
      hook,
      (event: HookEvents[Notice], tools: Tools) => notify(hook, event as HookEvents[typeof hook], tools),
    ]),
  ),
  report: (tools, app) => ({ endpoint: tools.endpointUrl(`/${app}`) ?? '' }),
  endpoint: async (request, tools) => receive(request, tools, app => running.get(tools)?.deploys.begin(app)),
  start(tools) {
    const outbox = createOutbox(tools);
    const deploys = createDeploys(tools);
    running.set(tools, { outbox, deploys });
    deploys.resume();
    outbox.resume(app => tools.setting('url', app !== undefined && tools.hasApp(app) ? app : undefined));
    return { stop: outbox.close };
  },
});

function parseBranch(text: string): string {
  if (/^(?!-)(?!.*\.\.)(?!.*@\{)[A-Za-z0-9_./+@#-]{1,200}$/.test(text)) return text;
  throw new WherryError('invalid', 'That is no name of a branch. Give one such as main.');
}

function parseSecret(text: string): string {
  if (text.length >= 16) return text;
  throw new WherryError('invalid', 'The secret is too short to be safe. Take at least 16 characters.');
}

import { definePlugin, type HookEvents, parseRemoteUrl, type Tools } from '../../src/plugin/api.ts';
import { allNotices, type Notice, noticeOf, parseNotices, usualNotices } from './notices.ts';
import { createOutbox } from './outbox.ts';

/** Of the plugin as it runs now, by the tools that it was given. */
const outboxes = new WeakMap<Tools, ReturnType<typeof createOutbox>>();

function notify<Name extends Notice>(hook: Name, event: HookEvents[Name], tools: Tools): undefined {
  const app = event.app ?? undefined;
  // One that is gone or renamed has no settings under the name any more.
  const known = app !== undefined && tools.apps().some(({ name }) => name === app) ? app : undefined;
  const url = tools.setting('url', known);
  const wanted = tools.setting('events', known)?.split(' ') ?? [];
  if (url !== undefined && wanted.includes(hook)) outboxes.get(tools)?.send(url, noticeOf(hook, event));
}

export default definePlugin({
  name: 'webhooks',
  summary: 'Tells other hosts what happens',
  optIn: true,
  settings: {
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
  start(tools) {
    const outbox = createOutbox(tools);
    outboxes.set(tools, outbox);
    return { stop: outbox.close };
  },
});

import { type HookEvents, type ToldHook, WherryError } from '../../src/plugin/api.ts';

/** What may be told of, in the words of a title. */
const titles = {
  'after-deploy': 'Deployed',
  'deploy-failed': 'Deploy failed',
  'out-of-memory': 'Out of memory',
  crashed: 'Crashed',
  'wake-failed': 'Did not wake up',
  'certificate-failed': 'Certificate was not issued',
  'certificate-expiring': 'Certificate ends soon',
  'cron-failed': 'Cron task failed',
  'app-created': 'Created',
  'app-renamed': 'Renamed',
  'app-destroyed': 'Destroyed',
  scaled: 'Scaled',
  slept: 'Fell asleep',
  woke: 'Woke up',
} as const satisfies Partial<Record<ToldHook, string>>;
export type Notice = keyof typeof titles;

/** Told of unless somebody says otherwise: what went live, and what went wrong. */
export const usualNotices = [
  ...['after-deploy', 'deploy-failed', 'out-of-memory', 'crashed', 'wake-failed'],
  ...['certificate-failed', 'certificate-expiring', 'cron-failed'],
].join(' ');

export const allNotices = Object.keys(titles) as readonly Notice[];

/** Names of events by spaces or commas. @throws invalid */
export function parseNotices(text: string): string {
  const names = text.split(/[\s,]+/).filter(name => name !== '');
  const stray = names.find(name => !Object.hasOwn(titles, name));
  if (stray === undefined) return [...new Set(names)].join(' ');
  throw new WherryError(
    'invalid',
    `There is no event ${JSON.stringify(stray.slice(0, 40))} to tell of. Known are: ${allNotices.join(', ')}.`,
  );
}

/** What is posted: `text` for chats that read Slack's form, the rest for programs. */
export function noticeOf<Name extends Notice>(hook: Name, event: HookEvents[Name]) {
  const { app, message, actor } = event;
  const whose = app === null ? 'Wherry' : app;
  const by = actor === null ? '' : ` (${actor})`;
  return { text: `${whose}: ${titles[hook]}. ${escaped(message)}${by}`, event: hook, ...event };
}

/** Slack reads `<...>` as a link and `&` as an entity; a message of an app must not make either. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

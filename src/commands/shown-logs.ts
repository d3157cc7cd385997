import { createMask } from '../build/mask.ts';
import type { App } from '../domain/app.ts';
import { logViewKey } from '../domain/log-view.ts';
import { plainText } from '../domain/plain-text.ts';
import type { LogLine, LogQuery } from '../runtime/runtime.ts';
import type { Context } from './context.ts';

/** What an app printed, as people may see it: nothing that their terminal obeys, and as `logs:set` says. */
export function shownLogs(context: Context, app: App, query: LogQuery): AsyncIterable<LogLine> {
  const is = (property: 'colors' | 'redact') =>
    context.store.properties.resolve(app.id, logViewKey(property)) === 'true';
  const look = { colours: is('colors') };
  const hide = is('redact') ? createMask(everyValue(context, app)).text : (text: string) => text;
  return context.runtime.logs(app, { ...query, show: text => hide(plainText(text, look)) });
}

/** Of old lines too: they show values of their time. */
function everyValue({ store }: Context, app: App): Readonly<Record<string, string>> {
  const configs = [store.config.merged(app), ...store.releases.list(app).map(store.releases.config)];
  const values = new Set(configs.flatMap(config => Object.values(config)));
  return Object.fromEntries([...values].map((value, at) => [String(at), value]));
}

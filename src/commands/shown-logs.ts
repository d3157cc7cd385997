import { createMask, type Mask } from '../build/mask.ts';
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
  const hide = is('redact') ? maskOf(context, app).text : (text: string) => text;
  return context.runtime.logs(app, { ...query, show: text => hide(plainText(text, look)) });
}

/** Of old lines too: they show values of their time. */
function maskOf({ store: { config, releases } }: Context, app: App): Mask {
  const times = [
    { values: config.merged(app), secret: config.mergedSecretKeys(app) },
    ...releases.list(app).map(each => ({ values: releases.config(each), secret: releases.secretKeys(each) })),
  ];
  const named = times.flatMap(({ values }, at) =>
    Object.entries(values).map(([key, value]) => [`${at} ${key}`, value] as const),
  );
  const writeOnly = times.flatMap(({ secret }, at) => secret.map(key => `${at} ${key}`));
  return createMask(Object.fromEntries(named), writeOnly);
}

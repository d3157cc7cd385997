import {
  checkEdgeSettings,
  type EdgeSetting,
  edgeKey,
  edgeSettingNames,
  edgeSettings,
} from '../domain/edge-settings.ts';
import { WherryError } from '../domain/errors.ts';
import { parseAppName } from '../domain/names.ts';
import { proxyTypeKey, proxyTypeSetting } from '../domain/proxy-type.ts';
import {
  checkProxySettings,
  type ProxySetting,
  proxyKey,
  proxySettingName,
  proxySettingNames,
  proxySettings,
  readRoutePolicy,
} from '../domain/proxying.ts';
import { requireHaproxy } from '../fast-path/index.ts';
import { many, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { readSettingWords, setProperties } from './setting-words.ts';

type Setting = ProxySetting | EdgeSetting | 'type';

const settings = { ...proxySettings, ...edgeSettings, type: proxyTypeSetting };
const ofEdge: readonly Setting[] = [...edgeSettingNames, 'type'];
const names: readonly Setting[] = [...proxySettingNames, ...ofEdge];

const set = defineCommand({
  name: 'proxy:set',
  aliases: ['nginx:set'],
  summary: 'Set how requests for an app are handled: sizes, times, limits, HTTPS',
  description: [
    'For one app or, with --global, for all that have nothing of their own. A setting without value is unset. Takes effect at once, nothing restarts.',
    ...proxySettingNames.map(helpOf),
    'With --global alone, for the whole edge:',
    ...ofEdge.map(helpOf),
    "A property and its value as two words are understood too, also by nginx's names: client-max-body-size, proxy-read-timeout.",
  ].join(' '),
  examples: [
    'proxy:set blog body-limit=50m response-timeout=2m',
    'proxy:set blog hsts=true hsts-max-age=31536000',
    'proxy:set blog sticky=',
    'proxy:set --global https-redirect=false',
    'proxy:set --global trusted-proxies=10.0.0.0/8 proxy-protocol=true',
    'proxy:set --global type=haproxy',
    'nginx:set blog client-max-body-size 50m',
  ],
  args: { app: appOrGlobal, settings: many(text('setting=value')) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const given = readSettingWords(asSettings(input.settings), names, name => settings[name].parse);
    const shared = ofEdge.find(name => given.has(name));
    if (owner && shared)
      throw new WherryError(
        'invalid',
        `${shared} is of the whole edge, not of one app. Set it with: proxy:set --global`,
      );
    const stored = (scope: string, name: Setting) => context.store.properties.get(scope, keyOf(name));
    const own = (name: Setting) => stored(owner ? `app:${owner.id}` : 'global', name);
    const after = (name: Setting) =>
      (given.has(name) ? given.get(name) : own(name)) ?? (owner && stored('global', name));
    const catchAll = given.get('catch-all');
    if (catchAll !== undefined) context.app(parseAppName(catchAll));
    checkProxySettings(after);
    if (!owner) checkEdgeSettings(after);
    if (!owner) checkType(after);
    setProperties(context, { owner, given, keyOf, event: 'proxy' });
    await context.deployer.applyRoutes();
    return { app: owner?.name ?? null, ...Object.fromEntries(given) };
  },
  text: () => [],
});

const report = defineReport({
  name: 'proxy:report',
  summary: 'Show how requests for one app or all are handled: as set, for all apps, and as it works out',
  examples: ['proxy:report blog', 'proxy:report blog --proxy-computed-body-limit', 'proxy:report --global'],
  title: 'proxy',
  prefix: 'proxy-',
  values(context, each) {
    const { store } = context;
    const computed = (name: ProxySetting) => store.properties.resolve(each.id, proxyKey(name));
    return {
      ...globalValues(context),
      ...Object.fromEntries(
        proxySettingNames.flatMap(name => [
          [name, store.properties.get(`app:${each.id}`, proxyKey(name)) ?? ''],
          [`computed-${name}`, computed(name) ?? proxySettings[name].usual],
        ]),
      ),
      'strict-transport-security': readRoutePolicy(computed)?.hsts ?? '',
    };
  },
  global: globalValues,
});

export const proxySetCommands = [set, report];

/** Those of the whole edge as they work out: no app has another. */
function globalValues({ store }: Context): Readonly<Record<string, string>> {
  const stored = (key: string) => store.properties.get('global', key);
  return {
    ...Object.fromEntries(proxySettingNames.map(name => [`global-${name}`, stored(proxyKey(name)) ?? ''])),
    ...Object.fromEntries(
      edgeSettingNames.map(name => [`global-${name}`, stored(edgeKey(name)) ?? edgeSettings[name].usual]),
    ),
    'global-type': stored(proxyTypeKey) ?? proxyTypeSetting.usual,
  };
}

/** HAProxy itself says to the edge who a visitor is; a balancer before it could not. */
function checkType(after: (name: Setting) => string | undefined): void {
  if (after('type') !== 'haproxy') return;
  if (after('trusted-proxies'))
    throw new WherryError(
      'invalid',
      'type=haproxy does not go with trusted-proxies. Unset one of them: proxy:set --global trusted-proxies= proxy-protocol=',
    );
  requireHaproxy();
}

function keyOf(name: Setting): string {
  if (name === 'type') return proxyTypeKey;
  return name in edgeSettings ? edgeKey(name as EdgeSetting) : proxyKey(name as ProxySetting);
}

function helpOf(name: Setting): string {
  const { help, usual } = settings[name];
  return `${name}: ${help} (${usual || 'none'} unless set).`;
}

/** `hsts=true` as it is; `hsts true`, or `hsts` alone to unset it, as one setting; by our names. */
function asSettings(words: readonly string[]): readonly string[] {
  const [property = '', value = '', extra] = words;
  if (property.includes('=')) return words.map(renamed);
  if (extra !== undefined)
    throw new WherryError(
      'invalid',
      'Give one property and its value, or several settings as SETTING=VALUE.',
    );
  return [renamed(`${property}=${value}`)];
}

function renamed(word: string): string {
  const at = word.indexOf('=');
  return at < 0 ? word : `${proxySettingName(word.slice(0, at))}${word.slice(at)}`;
}

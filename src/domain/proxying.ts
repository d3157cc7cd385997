import { parseAddressList } from './address-list.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import type { RoutePolicy } from './route.ts';
import { trueOrFalse, wholeNumber } from './setting-values.ts';

/** What `proxy:set` knows of an app's requests, by the name that people type. */
export const proxySettings = {
  'body-limit': {
    usual: '0',
    help: 'largest body of a request, as 50m, without a unit in bytes; 0 lets any size pass',
    parse: parseBodyLimit,
  },
  'response-timeout': {
    usual: '60s',
    help: 'time until the head of an answer, 1s to 24h; later is a 504',
    parse: parseResponseTimeout,
  },
  'hard-limit': {
    usual: '250',
    help: 'requests that one instance is given at once, 1 to 10000; more wait',
    parse: wholeNumber('hard-limit', { least: 1, most: 10_000 }),
  },
  sticky: {
    usual: 'false',
    help: 'true keeps the requests of a visitor on one instance, by a cookie',
    parse: trueOrFalse('sticky'),
  },
  h2c: {
    usual: 'false',
    help: 'true speaks HTTP/2 without TLS to the app, as gRPC needs; no WebSocket then',
    parse: trueOrFalse('h2c'),
  },
  'https-redirect': {
    usual: 'true',
    help: 'false answers over plain HTTP also where the host has a certificate',
    parse: trueOrFalse('https-redirect'),
  },
  hsts: {
    usual: 'false',
    help: 'true tells browsers over HTTPS to come by HTTPS alone (Strict-Transport-Security)',
    parse: trueOrFalse('hsts'),
  },
  'hsts-max-age': {
    usual: '15724800',
    help: 'seconds that browsers keep to that',
    parse: wholeNumber('hsts-max-age', { least: 0, most: 63_072_000 }),
  },
  'hsts-include-subdomains': {
    usual: 'false',
    help: 'true says so for all hosts below, too',
    parse: trueOrFalse('hsts-include-subdomains'),
  },
  'hsts-preload': {
    usual: 'false',
    help: 'true lets browsers ship the host as HTTPS alone',
    parse: trueOrFalse('hsts-preload'),
  },
  allow: {
    usual: '',
    help: 'addresses and ranges, by commas, of the visitors who alone may come; others get a 403',
    parse: (text: string) => parseAddressList(text, 'visitors'),
  },
  deny: {
    usual: '',
    help: 'those who may not, even if they are in allow',
    parse: (text: string) => parseAddressList(text, 'visitors'),
  },
} as const;

export type ProxySetting = keyof typeof proxySettings;

export const proxySettingNames = Object.keys(proxySettings) as readonly ProxySetting[];

/** The names that dokku has for them in `nginx:set`, where those differ. */
const otherNames: ReadonlyMap<string, ProxySetting> = new Map([
  ['client-max-body-size', 'body-limit'],
  ['proxy-read-timeout', 'response-timeout'],
]);

/** A setting by our name, whichever it was called by; other text as it is. */
export function proxySettingName(text: string): string {
  return otherNames.get(text) ?? text;
}

/** The property that a setting is stored under. */
export function proxyKey(name: ProxySetting): string {
  return `proxy-${name}`;
}

/** Smallest max-age with which browsers' preload lists take a host. */
const preloadAge = 31_536_000;

/** What is stored of a setting; undefined for nothing. */
type Get = (name: ProxySetting) => string | undefined;

/** What the edge is told; undefined when all is as usual. */
export function readRoutePolicy(get: Get): RoutePolicy | undefined {
  const bodyLimit = given(get, 'body-limit');
  const responseTimeout = given(get, 'response-timeout');
  const hardLimit = given(get, 'hard-limit');
  const hsts = readHsts(get);
  const [allow, deny] = [given(get, 'allow'), given(get, 'deny')];
  const policy: RoutePolicy = {
    ...(bodyLimit && { bodyLimit }),
    ...(responseTimeout !== undefined && { responseTimeout }),
    ...(hardLimit !== undefined && { hardLimit }),
    ...(given(get, 'sticky') && { sticky: true }),
    ...(given(get, 'h2c') && { h2c: true }),
    ...(given(get, 'https-redirect') === false && { plainHttp: true }),
    ...(hsts !== undefined && { hsts }),
    ...(allow && { allow }),
    ...(deny && { deny }),
  };
  return Object.keys(policy).length > 0 ? policy : undefined;
}

/** @throws invalid when the settings, each right by itself, do not fit together */
export function checkProxySettings(get: Get): void {
  if (given(get, 'hsts') && given(get, 'hsts-preload') && !isPreloadable(get))
    throw new WherryError(
      'invalid',
      `hsts-preload=true needs hsts-include-subdomains=true and hsts-max-age=${preloadAge} or more. Set them in one go.`,
    );
}

/** Settings for all apps may have changed under those of one: what does not fit any more is left out. */
function readHsts(get: Get): string | undefined {
  if (!given(get, 'hsts')) return undefined;
  const below = given(get, 'hsts-include-subdomains') ?? false;
  const preload = given(get, 'hsts-preload') === true && isPreloadable(get);
  return `max-age=${hstsAge(get)}${below ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}

function isPreloadable(get: Get): boolean {
  return given(get, 'hsts-include-subdomains') === true && hstsAge(get) >= preloadAge;
}

function hstsAge(get: Get): number {
  return given(get, 'hsts-max-age') ?? Number(proxySettings['hsts-max-age'].usual);
}

/** What was set, parsed; undefined for nothing. */
function given<Name extends ProxySetting>(
  get: Get,
  name: Name,
): ReturnType<(typeof proxySettings)[Name]['parse']> | undefined {
  const stored = get(name);
  if (stored === undefined) return undefined;
  const parse: (text: string) => unknown = proxySettings[name].parse;
  return parse(stored) as ReturnType<(typeof proxySettings)[Name]['parse']>;
}

const units = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

function parseBodyLimit(text: string): number {
  const match = /^(\d{1,15})([kmgt]?)$/i.exec(text);
  const bytes = Number(match?.[1]) * units[(match?.[2]?.toLowerCase() ?? '') as keyof typeof units];
  if (bytes >= 0 && bytes <= units.t) return bytes;
  throw new WherryError(
    'invalid',
    `body-limit=${quoteForPeople(text)} is not a size. Give bytes or a unit up to 1t, as in 50m; 0 lets any size pass.`,
  );
}

const longestTimeout = 86_400_000;

function parseResponseTimeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds >= 1000 && milliseconds <= longestTimeout) return milliseconds;
  throw new WherryError(
    'invalid',
    `response-timeout=${text} is not a time from 1s to ${formatDuration(longestTimeout)}.`,
  );
}

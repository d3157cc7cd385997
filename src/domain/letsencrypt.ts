import { parseDuration } from './duration.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Authorities by the words that people type for them. */
const servers: Readonly<Record<string, string>> = {
  production: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
};

/** What `letsencrypt:set` knows, by the name that people type. */
export const letsencryptSettings = {
  email: { usual: '', help: 'where the authority may write to', parse: parseEmail },
  server: {
    usual: 'production',
    help: "production or staging of Let's Encrypt, or the https URL of another authority's ACME directory",
    parse: parseServer,
  },
  graceperiod: {
    usual: '',
    help: 'how long before its end a certificate is renewed, in seconds or as 20d; a third of its life unless set, and never more than about half of it',
    parse: parseGrace,
  },
  challenge: {
    usual: 'http-01',
    help: 'how a domain is proved: http-01 at port 80, or tls-alpn-01 at port 443',
    parse: parseChallenge,
  },
  'dns-hook': {
    usual: '',
    help: 'program on the server that puts records into DNS, run as "PROGRAM present|cleanup NAME VALUE"; used in the place of the challenge, needed for wildcards. Set it on the server itself',
    parse: parseHook,
  },
} as const;

export type LetsencryptSetting = keyof typeof letsencryptSettings;

export const letsencryptSettingNames = Object.keys(letsencryptSettings) as LetsencryptSetting[];

/** The property that a setting is stored under. */
export function letsencryptKey(name: LetsencryptSetting | 'enabled'): string {
  return `letsencrypt-${name}`;
}

/** URL of the directory. @throws invalid */
export function parseServer(text: string): string {
  const known = Object.hasOwn(servers, text) ? servers[text] : undefined;
  if (known) return known;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url.href;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no ACME server. Give production, staging, or the https URL of a directory.`,
  );
}

/** Whether it issues only names that the whole Internet knows. */
export function isPublicAuthority(server: string): boolean {
  return Object.values(servers).includes(server);
}

const privateTops = ['localhost', 'local', 'internal', 'test', 'example', 'invalid', 'arpa', 'lan'];

/** Whether a public authority may give a certificate for it (RFC 6761, RFC 9476). */
export function isPublicName(host: string): boolean {
  const labels = host.split('.');
  return labels.length > 1 && !privateTops.includes(labels.at(-1) ?? '');
}

function parseEmail(text: string): string {
  if (/^[^\s@,;:<>"]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(text) && text.length <= 254) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no e-mail address. Give one as ann@example.org.`,
  );
}

/** Milliseconds. @throws invalid */
export function parseGrace(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 3_600_000 && ms <= 366 * 86_400_000) return ms;
  throw new WherryError(
    'invalid',
    `A grace period of ${quoteForPeople(text)} is not of use. Give from 1h to 366d.`,
  );
}

/** @throws invalid */
export function parseChallenge(text: string): 'http-01' | 'tls-alpn-01' {
  if (text === 'http-01' || text === 'tls-alpn-01') return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no way to prove a domain. Give http-01 or tls-alpn-01.`,
  );
}

function parseHook(text: string): string {
  if (/^\/[^\0]+$/.test(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not an absolute path of a program. Write it from / on.`,
  );
}

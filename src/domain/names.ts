import { WherryError } from './errors.ts';

declare const brand: unique symbol;
type Brand<Text, Name> = Text & { readonly [brand]: Name };

/** A name that is safe as a path segment, a DNS label prefix and a cgroup: `^[a-z0-9][a-z0-9.-]*$`, 1 to 63 characters, no `..`. */
export type AppName = Brand<string, 'AppName'>;
/** A Procfile process type: a DNS label of 1 to 63 characters (letters, digits, `-`), as dokku's. */
export type ProcessType = Brand<string, 'ProcessType'>;
/** A lower-case host name without port or trailing dot (RFC 1123 labels, `_` allowed), or `*.` and one. */
export type Domain = Brand<string, 'Domain'>;
/** A config key: letters, digits and `_`, not starting with a digit (POSIX environment variable name). */
export type ConfigKey = Brand<string, 'ConfigKey'>;

const reservedApps = new Set(['global', 'all', '_default_']);

/** @throws invalid */
export function parseAppName(text: string): AppName {
  if (text === '') throw new WherryError('invalid', 'An app name is missing. Give one, for example "blog".');
  const fits =
    /^[a-z0-9][a-z0-9.-]*$/.test(text) && text.length <= 63 && !text.includes('..') && !/[.-]$/.test(text);
  if (!fits || reservedApps.has(text)) {
    throw new WherryError(
      'invalid',
      `App name ${quoteForPeople(text)} is not valid. Use 1 to 63 of a-z, 0-9, "-" and ".", starting and ending with a letter or digit.`,
    );
  }
  return text as AppName;
}

/** Dots as Cloud Native Buildpacks have them; but `web.1` is the first instance of `web`, never a type. @throws invalid */
export function parseProcessType(text: string): ProcessType {
  if (!/^(?!.*\.\.)(?!.*\.\d+$)[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) {
    throw new WherryError(
      'invalid',
      `Process type ${quoteForPeople(text)} is not valid. Use 1 to 63 letters, digits and "-", as in "web".`,
    );
  }
  return text as ProcessType;
}

/** @throws invalid */
export function parseDomain(text: string): Domain {
  const host = text.toLowerCase().replace(/\.$/, '');
  const bare = host.startsWith('*.') ? host.slice(2) : host;
  const labels = bare.split('.');
  const fits =
    bare.length >= 1 &&
    bare.length <= 253 &&
    labels.every(label => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^[0-9.]+$/.test(bare);
  if (!fits) {
    throw new WherryError(
      'invalid',
      `Domain ${quoteForPeople(text)} is not valid. Give a host name such as "www.example.org", without scheme, port or path.`,
    );
  }
  return host as Domain;
}

/** @throws invalid */
export function parseConfigKey(text: string): ConfigKey {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) || text.length > 255) {
    throw new WherryError(
      'invalid',
      `Config key ${quoteForPeople(text)} is not valid. Use letters, digits and "_", not starting with a digit.`,
    );
  }
  return text as ConfigKey;
}

/** Shows untrusted text in a message: quoted, control and look-alike characters escaped, cut at 60 characters. */
export function quoteForPeople(text: string): string {
  const shown = [...text.slice(0, 60)]
    .map(char => (/[\x20-\x7e]/.test(char) ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`))
    .join('');
  return `"${shown}${text.length > 60 ? '...' : ''}"`;
}

import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** An image in a registry, as people name it. */
export type ImageRef = {
  /** All parts written out: `docker.io/library/alpine:3.20`. */
  readonly text: string;
  /** HOST or HOST:PORT; `docker.io` where none is named. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` where neither tag nor digest is named. */
  readonly tag?: string;
  /** `sha256:` and 64 hex digits; it decides when both are named. */
  readonly digest?: string;
};

const usual = 'docker.io';
const hostRule = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:\d{1,5})?$/;
const partRule = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;

/**
 * Docker's way of naming images (distribution's reference grammar): `alpine`, `me/boat:1.2`, `host:5000/boat@sha256:...`.
 * The first part is a host when it holds a dot or a port, or is localhost.
 * @throws invalid
 */
export function parseImageRef(given: string): ImageRef {
  const match = /^([^@]*?)(?::([^:/@]*))?(?:@(.*))?$/.exec(given.trim());
  const [, name = '', tag, digest] = match ?? [];
  const parts = name.split('/');
  const first = parts[0] ?? '';
  const named = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const registry = named ? readRegistry(first, given) : usual;
  const path = named ? parts.slice(1) : parts;
  if (registry === usual && path.length === 1) path.unshift('library');
  const repository = path.join('/');
  if (!path.every(part => partRule.test(part)) || repository.length > 255)
    throw invalid(given, 'is no name of an image');
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag))
    throw invalid(given, 'has a tag that no image has');
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw invalid(given, 'has something else than "sha256:" and 64 hex digits behind "@"');
  const chosen = tag ?? (digest === undefined ? 'latest' : undefined);
  const text = `${registry}/${repository}${chosen === undefined ? '' : `:${chosen}`}${digest === undefined ? '' : `@${digest}`}`;
  return {
    text,
    registry,
    repository,
    ...(chosen === undefined ? {} : { tag: chosen }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** A registry's HOST or HOST:PORT as one name, however it is written. @throws invalid */
export function parseRegistry(given: string): string {
  return readRegistry(
    given
      .trim()
      .replace(/^https?:\/\//, '')
      .replace(/\/(v[12]\/?)?$/, ''),
    given,
  );
}

function readRegistry(text: string, given: string): string {
  const host = text.toLowerCase();
  if (!hostRule.test(host) || host.includes('..')) throw invalid(given, 'names no host of a registry');
  return ['index.docker.io', 'registry-1.docker.io'].includes(host) ? usual : host;
}

function invalid(given: string, why: string): WherryError {
  return new WherryError(
    'invalid',
    `${quoteForPeople(given)} ${why}. Give one such as "nginx:1.27" or "registry.example.org/team/boat:1.2".`,
  );
}

import type { EndpointRequest } from '../../src/plugin/api.ts';

/** A push as all forges tell it. */
export type Push = {
  /** `refs/heads/main`. */
  readonly ref: string;
  /** The ref is gone. */
  readonly deleted: boolean;
  /** Addresses of the repository. */
  readonly repositories: readonly string[];
};

/** Undefined for what is no push: the sender is known, but may send anything. */
export function readPush({ headers, body }: EndpointRequest): Push | undefined {
  const text = body.toString('utf8');
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const payload = asObject(parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text));
  const { ref, after } = payload;
  if (typeof ref !== 'string') return undefined;
  const { repository, project } = payload;
  const places = [asObject(repository), asObject(project)];
  const keys = ['clone_url', 'git_http_url', 'html_url', 'web_url', 'homepage', 'git_url'];
  return {
    ref,
    deleted: payload['deleted'] === true || (typeof after === 'string' && /^0+$/.test(after)),
    repositories: places.flatMap(place =>
      keys.flatMap(key => (typeof place[key] === 'string' ? [place[key]] : [])),
    ),
  };
}

/** Whether two addresses are of one repository, however they are written. */
export function isSameRepository(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url ? `${url.host}${url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')}`.toLowerCase() : address;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

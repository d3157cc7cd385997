/** A Wherry elsewhere, as ssh is told; without a port, ssh takes what the person's own configuration says. */
export type Remote = { readonly user: string; readonly host: string; readonly port?: number };

const usualUser = 'wherry';
const usualPort = 2222;
const user = '[A-Za-z_][\\w.-]{0,63}';
/** Nothing here may begin with a dash: ssh would take it for an option. */
const host = '[A-Za-z0-9_](?:[\\w.-]{0,252})|\\[[0-9A-Fa-f:.]{2,45}\\]';
const address = new RegExp(`^(?:ssh://)?(?:(${user})@)?(${host})(?::(\\d{1,5}))?/?$`);
const url = new RegExp(`^(?:git\\+)?ssh://(?:(${user})@)?(${host})(?::(\\d{1,5}))?/(.+)$`);
const scp = new RegExp(`^(?:(${user})@)?(${host}):(?!//)(.+)$`);

/** What WHERRY_HOST says: `[user@]host[:port]`, by ssh:// too. Undefined when it is no such thing. */
export function parseHost(text: string): Remote | undefined {
  const [, who, where, port] = address.exec(text) ?? [];
  return where === undefined ? undefined : remote(who, where, port ?? String(usualPort));
}

/** The remote of a repository, `ssh://user@host:port/app` or `user@host:app`, with the app. */
export function parseRemote(text: string): { readonly remote: Remote; readonly app: string } | undefined {
  const [, who, where, port, path] = url.exec(text) ?? insertPort(scp.exec(text)) ?? [];
  const app = /^(?:~?\/)?([a-z0-9][a-z0-9._-]*?)(?:\.git)?\/?$/.exec(path ?? '')?.[1];
  const found = where === undefined ? undefined : remote(who, where, port);
  return found && app !== undefined ? { remote: found, app } : undefined;
}

function remote(who: string | undefined, where: string, port: string | undefined): Remote | undefined {
  const number = Number(port);
  if (port !== undefined && !(number >= 1 && number <= 65_535)) return undefined;
  const place = { user: who ?? usualUser, host: where.replace(/^\[(.*)\]$/, '$1') };
  return port === undefined ? place : { ...place, port: number };
}

/** `user@host:app` has no place for a port. */
function insertPort(found: RegExpExecArray | null): (string | undefined)[] | undefined {
  return found ? [found[0], found[1], found[2], undefined, found[3]] : undefined;
}

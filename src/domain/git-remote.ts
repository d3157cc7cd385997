import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import { parseRemoteUrl } from './remote-url.ts';

/**
 * A repository elsewhere that Wherry itself fetches: by https, or by ssh as `ssh://USER@HOST[:PORT]/PATH` or `USER@HOST:PATH`.
 * Nothing in it is an option of git, of ssh or of a shell.
 * @throws invalid
 */
export function parseGitRemote(text: string): URL {
  const [, user, host, path] =
    /^([A-Za-z0-9_.-]{1,64})@([A-Za-z0-9.-]{1,253}):(?!\/\/)(.+)$/.exec(text) ?? [];
  if (path !== undefined) return parseSsh(`ssh://${user}@${host}/${path.replace(/^\/+/, '')}`, text);
  if (text.startsWith('ssh://')) return parseSsh(text, text);
  const url = parseRemoteUrl(text);
  if (url.pathname === '/' || url.search !== '' || url.hash !== '')
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no URL of a repository. Give one such as https://example.org/blog.git, and what to take as the next word.`,
    );
  return url;
}

function parseSsh(text: string, given: string): URL {
  const form =
    /^ssh:\/\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[1-9]\d{0,4})?\/(?!-)[\w.~@+/-]{1,500}$/;
  if (form.test(text) && URL.canParse(text)) return new URL(text);
  throw new WherryError(
    'invalid',
    `${quoteForPeople(given.replace(/:[^@/]*@/, ':...@'))} is no repository by ssh. Give it as git@example.org:ann/blog.git, or ssh://git@example.org:2222/ann/blog.git.`,
  );
}

/** Where the ssh server of a repository is. */
export function sshPlaceOf({ hostname, port }: URL): { host: string; port: number } {
  return { host: hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase(), port: port === '' ? 22 : Number(port) };
}

/** A host in a list of known hosts, as OpenSSH has it. */
export function knownHostName({ host, port }: { host: string; port: number }): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

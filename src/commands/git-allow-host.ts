import { WherryError } from '../domain/errors.ts';
import { knownHostName } from '../domain/git-remote.ts';
import { flag, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { gitHost } from './git-auth.ts';

/** The list of all that were let in, as lines of known_hosts. */
export const knownHostsKey = 'git-known-hosts';

const allowHost = defineCommand({
  name: 'git:allow-host',
  summary: 'Let git:sync fetch from a host by ssh, by the host key that it has now',
  description:
    'HOST or HOST:PORT. Its keys are shown by their fingerprints: compare them with those that its owner tells, or give the right one by --fingerprint. From then on it must have the same; --force takes others. By https nothing need be let in. A host inside your network must be named by --allow-hosts of the daemon.',
  examples: [
    'git:allow-host git.example.org',
    'git:allow-host git.example.org:2222 --fingerprint SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
  ],
  args: { host: gitHost },
  flags: {
    fingerprint: flag(optional(text('fingerprint')), {
      help: 'take the key with this fingerprint alone',
      word: 'SHA256:...',
    }),
  },
  access: 'owner',
  effect: 'write',
  async run(context, input) {
    const { store, progress, force } = context;
    const place = placeOf(input.host);
    const name = knownHostName(place);
    const scanned = await context.scanHostKeys(place, context.signal);
    const keys = input.fingerprint ? scanned.filter(each => each.fingerprint === input.fingerprint) : scanned;
    if (keys.length === 0 && input.fingerprint !== undefined)
      throw new WherryError(
        'access-denied',
        `${input.host} has no key with that fingerprint. It has: ${scanned.map(each => each.fingerprint).join(', ') || 'none'}.`,
      );
    if (keys.length === 0) {
      progress.warn(
        `${input.host} does not speak ssh at port ${place.port}. Repositories there are fetched by https`,
      );
      return { host: input.host, keys: [] };
    }
    const before = store.properties.list('global', knownHostsKey);
    const lines = keys.map(({ type, key }) => `${name} ${type} ${key}`);
    if (!force && changed(before, lines))
      throw new WherryError(
        'conflict',
        `${input.host} has another key than it had. Ask its owner; if that is right, add --force.`,
      );
    const others = before.filter(line => !line.startsWith(`${name} `));
    store.properties.setList('global', knownHostsKey, [...others, ...lines]);
    progress.step(
      `Repositories at ${input.host} may be fetched by ssh. Compare its keys with what its owner tells:`,
    );
    for (const { type, fingerprint } of keys) progress.detail(`${type} ${fingerprint}`);
    return { host: input.host, keys: keys.map(({ type, fingerprint }) => ({ type, fingerprint })) };
  },
  text: () => [],
});

export const gitAllowHostCommands = [allowHost];

/** The port of ssh unless another stands behind the host. */
function placeOf(text: string): { host: string; port: number } {
  const url = new URL(`https://${text}`);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? 22 : Number(url.port) };
}

/** Whether a key of the same host and type was another. */
function changed(before: readonly string[], lines: readonly string[]): boolean {
  const place = (line: string) => line.split(' ', 2).join(' ');
  return lines.some(line => before.some(old => place(old) === place(line) && old !== line));
}

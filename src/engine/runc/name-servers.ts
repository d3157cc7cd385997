import { readFile } from 'node:fs/promises';

const hostFile = '/etc/resolv.conf';
/** systemd-resolved's real servers: its stub on loopback cannot be reached from another network namespace. */
const uplinkFile = '/run/systemd/resolve/resolv.conf';
const lastResort = ['1.1.1.1', '9.9.9.9'];

export type Resolver = { readonly servers: readonly string[]; readonly text: string };

/** What instances get as `/etc/resolv.conf`: the host's, but only name servers that can be reached from a namespace. */
export async function readResolver(): Promise<Resolver> {
  const host = await readText(hostFile);
  return chooseResolver(host, reachable(host).length > 0 ? '' : await readText(uplinkFile));
}

/** Name servers of `host`, else of `uplink`, else public ones; search and options lines of `host`. */
export function chooseResolver(host: string, uplink: string): Resolver {
  const found = [reachable(host), reachable(uplink), lastResort].find(list => list.length > 0) ?? lastResort;
  const kept = host.split('\n').filter(line => /^(search|domain|options)\s/.test(line));
  return {
    servers: found,
    text: `${[...kept, ...found.map(server => `nameserver ${server}`)].join('\n')}\n`,
  };
}

/** Instances have IPv4 only. */
function reachable(text: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    const server = /^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/.exec(line)?.[1];
    return server === undefined || server.startsWith('127.') ? [] : [server];
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

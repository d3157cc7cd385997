import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { knownHostName, sshPlaceOf } from '../../domain/git-remote.ts';
import { quoteForPeople } from '../../domain/names.ts';
import type { SystemUser } from '../../system/system-user.ts';
import { type AllowedHosts, checkHost } from './addresses.ts';
import { openSshAgent } from './ssh-agent.ts';

/** What Wherry has for hosts of repositories by ssh. */
export type SshIdentity = {
  /** The deploy key, in OpenSSH's form. */
  readonly privateKey: string;
  /** Lines of known_hosts that an admin let in. */
  readonly knownHosts: readonly string[];
};

export type SshAccess = { readonly env: Readonly<Record<string, string>>; close(): Promise<void> };

/** Without a word from outside in it: what differs stands in the file beside it. */
const program = '#!/bin/sh\nexec ssh -F "${0%/*}/config" "$@"\n';

/**
 * Lets git's user reach one host by ssh, with the deploy key that an agent of ours holds: to the address that was checked, only
 * with a host key that is known, and with nothing else of this host's ssh.
 * @throws not-found without a key or host key; access-denied for a host inside this network
 */
export async function openSshAccess(
  url: URL,
  { identity, user, allowed }: { identity: SshIdentity | undefined; user: SystemUser; allowed: AllowedHosts },
): Promise<SshAccess> {
  if (!identity)
    throw new WherryError('not-found', 'There is no deploy key yet, which repositories by ssh need.', {
      hint: 'git:generate-deploy-key, then let the key in there',
    });
  const place = sshPlaceOf(url);
  const name = knownHostName(place);
  const known = identity.knownHosts.filter(line => line.startsWith(`${name} `));
  if (known.length === 0) throw unknownHost(name);
  const address = await sshAddress(place, allowed);
  // In a folder of its own below /tmp: the path of a socket has at most 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'wherry-ssh-'));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    await chmod(folder, 0o711);
    const file = async (part: string, content: string, mode: number) => {
      await writeFile(join(folder, part), content, { mode });
      await chmod(join(folder, part), mode);
    };
    await file('ssh', program, 0o755);
    await file('known', `${known.join('\n')}\n`, 0o644);
    await file('config', configuration({ ...place, address, name, folder }), 0o644);
    const agent = await openSshAgent(identity.privateKey, { socket: join(folder, 'agent'), user });
    return {
      env: { GIT_SSH: join(folder, 'ssh'), GIT_SSH_VARIANT: 'ssh', GIT_ALLOW_PROTOCOL: 'ssh' },
      async close() {
        agent.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address that a host of ssh has, when it may be reached at all. @throws access-denied, unavailable */
export async function sshAddress(
  { host, port }: { host: string; port: number },
  allowed: AllowedHosts,
): Promise<string> {
  const { addresses } = await checkHost(
    new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    allowed,
  );
  const [first] = addresses;
  if (first) return first.address;
  throw new WherryError('unavailable', `Host ${quoteForPeople(host)} has no address. Check its name.`);
}

/** What git says of ssh that failed, as a sentence; undefined for something else. */
export function sshRefusal(url: URL, said: string): WherryError | undefined {
  const name = knownHostName(sshPlaceOf(url));
  if (/Host key verification failed|IDENTIFICATION HAS CHANGED/.test(said))
    return new WherryError(
      'access-denied',
      `The host key of ${name} is not the one that is known. If its owner changed it: git:allow-host ${name.replace(/[[\]]/g, '')} --force`,
    );
  if (/Permission denied \(/.test(said))
    return new WherryError('access-denied', `${quoteForPeople(url.href)} does not let the deploy key in.`, {
      hint: 'Let in there what git:public-key prints',
    });
  return undefined;
}

function unknownHost(name: string): WherryError {
  const host = name.replace(/[[\]]/g, '');
  return new WherryError('not-found', `The host key of ${host} is not known yet.`, {
    hint: `git:allow-host ${host}`,
  });
}

function configuration(of: { address: string; port: number; name: string; folder: string }): string {
  return [
    'Host *',
    `HostName ${of.address}`,
    `Port ${of.port}`,
    `HostKeyAlias ${of.name}`,
    `UserKnownHostsFile "${of.folder}/known"`,
    `IdentityAgent "${of.folder}/agent"`,
    ...['GlobalKnownHostsFile none', 'StrictHostKeyChecking yes', 'UpdateHostKeys no', 'CheckHostIP no'],
    ...['IdentityFile none', 'PreferredAuthentications publickey', 'BatchMode yes', 'LogLevel ERROR'],
    ...['ForwardAgent no', 'ClearAllForwardings yes', 'PermitLocalCommand no', 'ControlPath none'],
    ...[
      'CanonicalizeHostname no',
      'ConnectTimeout 20',
      'ServerAliveInterval 10',
      'ServerAliveCountMax 3',
      '',
    ],
  ].join('\n');
}

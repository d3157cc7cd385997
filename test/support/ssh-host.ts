import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { makeSshKeyPair } from '../../src/system/ssh-key-pair.ts';

export type SshAnswer = { readonly code?: number; readonly out?: string | Buffer; readonly err?: string };

/**
 * An SSH server on the loopback that answers commands as `answer` says, split at blanks, for the one key that `config`, a
 * configuration for ssh, has. `hang` never answers.
 */
export async function startSshHost(
  answer: (words: readonly string[]) => SshAnswer | 'hang',
  more: {
    /** Another key than its own that is let in. */
    letIn?: string;
    /** Takes a command itself. */
    serve?: (command: string, channel: ServerChannel) => boolean;
  } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-ssh-host-'));
  const [hostKey, person] = [makeSshKeyPair('host'), makeSshKeyPair('person')];
  const asked: string[] = [];
  const open = new Set<Connection>();
  let logins = 0;
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, client => {
    open.add(client);
    client.on('error', () => {}).on('close', () => open.delete(client));
    client.on('authentication', context => {
      const known = ssh2.utils.parseKey(more.letIn ?? person.publicKey);
      const right =
        context.method === 'publickey' &&
        !(known instanceof Error) &&
        known.getPublicSSH().equals(context.key.data);
      if (right) context.accept();
      else context.reject(['publickey']);
    });
    client.on('ready', () => {
      logins += 1;
      client.on('session', accept => {
        accept().on('exec', (accepted, _reject, { command }) => {
          asked.push(command);
          const channel = accepted();
          if (!more.serve?.(command, channel)) respond(channel, answer(command.split(' ')));
        });
      });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const config = file(
    'config',
    [
      'Host old.example.org',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  IdentityFile ${file('key', person.privateKey)}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${file('known', `[127.0.0.1]:${port} ${hostKey.publicKey}\n`)}`,
      '  StrictHostKeyChecking yes',
      '',
    ].join('\n'),
  );
  return {
    config,
    port,
    folder,
    asked,
    /** The public half, in OpenSSH's form. */
    hostKey: hostKey.publicKey,
    logins: () => logins,
    async close() {
      for (const client of open) client.end();
      await new Promise<void>(resolve => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function respond(channel: ServerChannel, said: SshAnswer | 'hang'): void {
  if (said === 'hang') return;
  channel.stderr.write(said.err ?? '');
  channel.write(said.out ?? '', () => {
    channel.exit(said.code ?? 0);
    channel.end();
  });
}

import { readFileSync } from 'node:fs';
import { Client } from 'ssh2';
import type { Wherry } from './wherry.ts';

export interface SshSession {
  /** Runs a command line on the open connection; its output. @throws when it does not end with 0 */
  exec(line: string): Promise<string>;
  close(): void;
}

/** One SSH connection kept open, so that a measurement does not count its handshake. */
export function openSession(wherry: Wherry): Promise<SshSession> {
  const client = new Client();
  const session: SshSession = {
    exec: line => execute(client, line),
    close: () => client.end(),
  };
  return new Promise((resolve, reject) => {
    client
      .once('ready', () => {
        // Nagle would add its delay to each command.
        client.setNoDelay(true);
        resolve(session);
      })
      .once('error', reject)
      .connect({
        host: '127.0.0.1',
        port: wherry.sshPort,
        username: 'wherry',
        privateKey: readFileSync(wherry.key),
        readyTimeout: 20_000,
      });
  });
}

function execute(client: Client, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) return reject(error);
      let output = '';
      const collect = (chunk: Buffer) => {
        output += chunk.toString('utf8');
      };
      channel.on('data', collect);
      channel.stderr.on('data', collect);
      channel.once('close', (code: number | null) =>
        code === 0 ? resolve(output) : reject(new Error(`${line} ended with ${code}: ${output}`)),
      );
    });
  });
}

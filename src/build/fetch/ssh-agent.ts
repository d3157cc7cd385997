import { chown } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { WherryError } from '../../domain/errors.ts';
import type { SystemUser } from '../../system/system-user.ts';

// The agent protocol's messages (draft-miller-ssh-agent), as far as ssh asks one key to sign.
const message = { failure: 5, listKeys: 11, keys: 12, sign: 13, signature: 14 } as const;
/** Bytes of one request. */
const longest = 256 * 1024;

/**
 * Signs with a private key for whoever opens `socket`, which is the user's alone. The key itself never leaves this process: no
 * file and no other process has it.
 */
export async function openSshAgent(
  privateKey: string,
  { socket, user }: { socket: string; user: SystemUser },
): Promise<{ close(): void }> {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error)
    throw new WherryError(
      'failed',
      'The deploy key is damaged. Make another: git:generate-deploy-key --force',
    );
  const blob = key.getPublicSSH();
  const open = new Set<Socket>();
  const answer = (request: Buffer): Buffer => {
    if (request[0] === message.listKeys) return framed([message.keys], count(1), text(blob), text('wherry'));
    const [asked, data] = request[0] === message.sign ? texts(request.subarray(1)) : [];
    if (!asked?.equals(blob) || data === undefined) return framed([message.failure]);
    const signature = Buffer.concat([text(key.type), text(key.sign(data))]);
    return framed([message.signature], text(signature));
  };
  const server = createServer(client => {
    open.add(client);
    client.on('error', () => {}).on('close', () => open.delete(client));
    let rest = Buffer.alloc(0);
    client.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4) {
        const length = rest.readUInt32BE(0);
        if (length === 0 || length > longest) return void client.destroy();
        if (rest.length < 4 + length) return;
        client.write(answer(rest.subarray(4, 4 + length)));
        rest = rest.subarray(4 + length);
      }
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  await chown(socket, user.uid, user.gid);
  return {
    close() {
      for (const client of open) client.destroy();
      server.close();
    },
  };
}

function framed(...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map(part => Buffer.from(part as Uint8Array)));
  return Buffer.concat([count(body.length), body]);
}

function count(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

function text(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([count(bytes.length), bytes]);
}

/** The strings at the start of a request, as far as they are whole. */
function texts(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length && found.length < 2; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2, { type ParsedKey, type ServerConfig } from 'ssh2';
import { WherryError } from '../domain/errors.ts';
import { makeSshKeyPair } from '../system/ssh-key-pair.ts';

export type HostKey = {
  readonly type: 'ssh-ed25519' | 'ssh-rsa';
  /** `SHA256:...`, as clients show it at the first connection. */
  readonly fingerprint: string;
  readonly privateKey: string;
};

/**
 * The keys as ssh2 takes them. Given an RSA key it also offers SHA-1 signatures, whatever the algorithms say, so the
 * key goes in twice under the names of its SHA-2 signatures.
 */
export function serverKeys(keys: readonly HostKey[]): ServerConfig['hostKeys'] {
  return keys.flatMap(({ type, privateKey }): ServerConfig['hostKeys'] => {
    if (type !== 'ssh-rsa') return [privateKey];
    const parsed = parse(privateKey);
    const named = (name: string) => ({ key: Object.create(parsed, { type: { value: name } }) });
    return [named('rsa-sha2-512'), named('rsa-sha2-256')];
  });
}

function parse(privateKey: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

/** The host's keys, made once: a changed key makes every client refuse. @throws failed when a key file is damaged */
export async function loadHostKeys(dir: string): Promise<HostKey[]> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return [
    await loadHostKey(join(dir, 'ssh_host_ed25519_key'), 'ssh-ed25519'),
    await loadHostKey(join(dir, 'ssh_host_rsa_key'), 'ssh-rsa'),
  ];
}

async function loadHostKey(file: string, type: HostKey['type']): Promise<HostKey> {
  const privateKey = (await readIfThere(file)) ?? (await makeHostKey(file, type));
  await chmod(file, 0o600);
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || parsed.type !== type) {
    throw new WherryError(
      'failed',
      `Host key ${file} is damaged. Restore it from a backup, or remove it to have a new one made.`,
    );
  }
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '');
  return { type, fingerprint: `SHA256:${digest}`, privateKey };
}

async function makeHostKey(file: string, type: HostKey['type']): Promise<string> {
  const privateKey = await makePrivateKey(type);
  const fresh = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(fresh, privateKey, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
  return privateKey;
}

async function makePrivateKey(type: HostKey['type']): Promise<string> {
  if (type === 'ssh-ed25519') return makeSshKeyPair('wherry').privateKey;
  return (await promisify(makeRsa)()).private;
}

/** Off the main thread: 3072 bits take up to a few seconds. */
function makeRsa(done: (error: Error | null, pair: { private: string }) => void): void {
  ssh2.utils.generateKeyPair('rsa', { bits: 3072, comment: 'wherry' }, done);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

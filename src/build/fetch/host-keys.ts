import { createHash } from 'node:crypto';
import { WherryError } from '../../domain/errors.ts';
import { ExecError, exec } from '../../system/exec.ts';
import { parseAllowedHosts } from './addresses.ts';
import { sshAddress } from './ssh-access.ts';

export type ScannedKey = { readonly type: string; readonly key: string; readonly fingerprint: string };

/** The host keys that an ssh server shows, none where there is no such server. @throws access-denied, unavailable */
export type ScanHostKeys = (
  place: { host: string; port: number },
  signal: AbortSignal,
) => Promise<readonly ScannedKey[]>;

const mostKeys = 10;

export function createHostKeyScan({ allowHosts }: { allowHosts: string | undefined }): ScanHostKeys {
  const allowed = parseAllowedHosts(allowHosts);
  return async (place, signal) => {
    const address = await sshAddress(place, allowed);
    const args = ['-T', '10', '-p', String(place.port), '-t', 'ed25519,ecdsa,rsa', '--', address];
    try {
      const { stdout } = await exec('ssh-keyscan', args, { timeout: 30_000, signal, maxOutput: 256 * 1024 });
      return readKeys(stdout);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ExecError && error.exitCode === 1 && !error.timedOut) return [];
      throw new WherryError('unavailable', 'The host keys could not be asked for. Try again later.', {
        cause: error,
      });
    }
  };
}

/** `ADDRESS TYPE KEY` a line; what else a stranger's server says is left out. */
function readKeys(output: string): readonly ScannedKey[] {
  return output
    .split('\n')
    .flatMap(line => {
      const [, type, key] =
        /^[^#\s]\S* ([a-z0-9@.-]{1,60}) ([A-Za-z0-9+/]{40,2000}={0,2})$/.exec(line.trim()) ?? [];
      return type === undefined || key === undefined ? [] : [{ type, key, fingerprint: fingerprintOf(key) }];
    })
    .slice(0, mostKeys);
}

function fingerprintOf(key: string): string {
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

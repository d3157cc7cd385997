import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { WherryError } from '../domain/errors.ts';
import { because, exec } from '../system/exec.ts';
import type { Proof, Solver } from './obtain.ts';

/** Milliseconds that the program may take: it returns when the record can be seen everywhere. */
const patience = 600_000;

/** Proves by a TXT record (RFC 8555 section 8.4), which an operator's program puts into DNS and takes out again. */
export function dnsHook(program: string): Solver {
  const run = async (
    verb: 'present' | 'cleanup',
    { host, keyAuthorization }: Proof,
    signal: AbortSignal,
  ): Promise<void> => {
    await checkOwner(program);
    const name = `_acme-challenge.${host.replace(/^\*\./, '')}`;
    const value = createHash('sha256').update(keyAuthorization).digest('base64url');
    try {
      await exec(program, [verb, name, value], { timeout: patience, signal });
    } catch (error) {
      throw because(`The DNS hook for ${host}`, error);
    }
  };
  return {
    type: 'dns-01',
    show: (proof, signal) => run('present', proof, signal),
    hide: (proof, signal) => run('cleanup', proof, signal),
  };
}

/** It is run as root: nobody else may be able to change it. */
async function checkOwner(program: string): Promise<void> {
  const found = await stat(program).catch(() => undefined);
  if (!found?.isFile())
    throw new WherryError(
      'not-found',
      `The DNS hook ${program} is no file. Set another with letsencrypt:set.`,
    );
  if (found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new WherryError(
      'invalid',
      `The DNS hook ${program} can be changed by others than the user who runs it. Change its owner and mode.`,
    );
}

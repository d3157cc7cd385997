import { X509Certificate } from 'node:crypto';
import { Refusal } from './refusal.ts';
import type { Session } from './session.ts';

/** Asks the authority to revoke a certificate that the account got (RFC 8555 section 7.6); one that is revoked stays so. */
export async function revoke(session: Session, chain: string, signal: AbortSignal): Promise<void> {
  const leaf = new X509Certificate(chain);
  const { revokeCert } = await session.directory(signal);
  const payload = { certificate: leaf.raw.toString('base64url') };
  const what = `The certificate of ${leaf.subjectAltName ?? 'a host'} is not revoked`;
  try {
    await session.post({ url: revokeCert, payload, what }, signal);
  } catch (error) {
    if (!(error instanceof Refusal) || error.type !== 'alreadyRevoked') throw error;
  }
}

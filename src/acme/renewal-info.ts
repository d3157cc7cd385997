import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { retryAfter } from './retry-after.ts';
import { readJson, type Session } from './session.ts';

export type RenewalInfo = {
  readonly window: { readonly start: Date; readonly end: Date };
  /** When to ask again. */
  readonly again: Date;
};

const info = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
});

const hour = 3_600_000;

/** When the authority wants a certificate renewed (RFC 9773); undefined from one that does not say. */
export async function readRenewalInfo(
  session: Session,
  { chain, now }: { chain: string; now: Date },
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await session.directory(signal);
  const id = renewalId(chain);
  if (renewalInfo === undefined || id === undefined) return undefined;
  const url = `${renewalInfo}/${id}`;
  const reply = await session.get(url, signal);
  const { suggestedWindow } = readJson(reply, url, info);
  const told = retryAfter(reply.header('retry-after'), now)?.getTime() ?? 0;
  const again = Math.min(Math.max(told, now.getTime() + hour), now.getTime() + 24 * hour);
  const window = { start: new Date(suggestedWindow.start), end: new Date(suggestedWindow.end) };
  return { window, again: new Date(again) };
}

/** DER of the object identifier id-ce-authorityKeyIdentifier. */
const identifier = Buffer.from('0603551d23', 'hex');

/** Names a certificate as RFC 9773 section 4.1: the identifier of its issuer's key, and its serial number. */
export function renewalId(chain: string): string | undefined {
  const leaf = new X509Certificate(chain);
  const at = leaf.raw.indexOf(identifier);
  // OCTET STRING of a SEQUENCE whose first member, [0], is the key's identifier; all of them shorter than 128 bytes.
  const value = leaf.raw.subarray(at + identifier.length);
  const [octets, , sequence, , tag, length = 0] = value;
  if (at < 0 || octets !== 0x04 || sequence !== 0x30 || tag !== 0x80 || length > 64) return undefined;
  const key = value.subarray(6, 6 + length);
  const hex = leaf.serialNumber.padStart(leaf.serialNumber.length + (leaf.serialNumber.length % 2), '0');
  const serial = Buffer.from(/^[89a-f]/i.test(hex) ? `00${hex}` : hex, 'hex');
  return `${key.toString('base64url')}.${serial.toString('base64url')}`;
}

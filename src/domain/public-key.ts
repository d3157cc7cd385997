import { createHash, createPublicKey } from 'node:crypto';
import { WherryError } from './errors.ts';

/** A public SSH key that may log in. */
export type PublicKey = {
  readonly type: string;
  /** The key's bytes in SSH wire format. */
  readonly blob: Buffer;
  /** `SHA256:` and base64 without padding. */
  readonly fingerprint: string;
  readonly comment: string;
};

const smallestRsa = 2048;
const curves = new Map([
  ['ecdsa-sha2-nistp256', { name: 'nistp256', coordinate: 32 }],
  ['ecdsa-sha2-nistp384', { name: 'nistp384', coordinate: 48 }],
  ['ecdsa-sha2-nistp521', { name: 'nistp521', coordinate: 66 }],
]);

/**
 * Reads one line of a `.pub` file: Ed25519, ECDSA, or RSA of at least 2048 bits.
 * @throws invalid for anything else, with the reason
 */
export function parsePublicKey(text: string): PublicKey {
  const line = oneLine(text);
  const [type = '', encoded = '', ...rest] = line.split(/[ \t]+/);
  refuseUnusable(type);
  const blob = decode(encoded);
  const fields = readFields(blob);
  if (fields[0]?.toString('latin1') !== type) {
    throw new WherryError(
      'invalid',
      'The SSH key is damaged: its type and its data differ. Paste the whole line of the .pub file.',
    );
  }
  checkKey(type, fields);
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { type, blob, fingerprint: `SHA256:${digest}`, comment: printable(rest.join(' ')) };
}

function oneLine(text: string): string {
  if (text.includes('PRIVATE KEY')) {
    throw new WherryError(
      'invalid',
      'This is a private key. Keep it to yourself and give the .pub file beside it.',
    );
  }
  const lines = text
    .slice(0, 65_536)
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'));
  const [line, ...more] = lines;
  if (line === undefined) {
    throw new WherryError(
      'invalid',
      'No SSH key was given. Paste the line of a .pub file, as from ssh-keygen -t ed25519.',
    );
  }
  if (more.length > 0)
    throw new WherryError('invalid', 'More than one line was given. Add SSH keys one at a time.');
  return line;
}

function refuseUnusable(type: string): void {
  if (type.includes('-cert-')) {
    throw new WherryError(
      'invalid',
      'SSH certificates are not supported. Give the plain public key that it was made for.',
    );
  }
  if (type.startsWith('sk-')) {
    throw new WherryError(
      'invalid',
      'SSH keys held on a security key (sk-) are not supported. Make one with ssh-keygen -t ed25519.',
    );
  }
  if (type === 'ssh-dss') {
    throw new WherryError(
      'invalid',
      'DSA keys are not safe any more. Make a new one with ssh-keygen -t ed25519.',
    );
  }
  if (type !== 'ssh-ed25519' && type !== 'ssh-rsa' && !curves.has(type)) {
    throw new WherryError(
      'invalid',
      'This is not an OpenSSH public key. Paste the line of a .pub file, as from ssh-keygen -t ed25519.',
    );
  }
}

function decode(encoded: string): Buffer {
  const blob = Buffer.from(encoded, 'base64');
  const fits = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && encoded.length % 4 === 0;
  if (!fits || blob.toString('base64') !== encoded) throw damaged();
  return blob;
}

/** The length-prefixed fields of a key's wire format, all of them and nothing after. */
function readFields(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) throw damaged();
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) throw damaged();
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function checkKey(type: string, fields: readonly Buffer[]): void {
  const [, first, second] = fields;
  const curve = curves.get(type);
  if (type === 'ssh-ed25519') {
    if (fields.length !== 2 || first?.length !== 32) throw damaged();
  } else if (curve) {
    if (fields.length !== 3 || first?.toString('latin1') !== curve.name || !onCurve(curve, second))
      throw damaged();
  } else {
    if (fields.length !== 3 || !first || !second) throw damaged();
    checkRsa(first, second);
  }
}

function onCurve(curve: { name: string; coordinate: number }, point: Buffer | undefined): boolean {
  const { name, coordinate } = curve;
  if (point?.length !== 1 + 2 * coordinate || point[0] !== 4) return false;
  const x = point.subarray(1, 1 + coordinate).toString('base64url');
  const y = point.subarray(1 + coordinate).toString('base64url');
  try {
    createPublicKey({ key: { kty: 'EC', crv: name.replace('nistp', 'P-'), x, y }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

function checkRsa(exponent: Buffer, modulus: Buffer): void {
  const bits = bitLength(modulus);
  if (bits < smallestRsa) {
    throw new WherryError(
      'invalid',
      `This RSA key has ${bits} bits, and ${smallestRsa} are needed. Make a new one with ssh-keygen -t ed25519.`,
    );
  }
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1 && ((modulus.at(-1) ?? 0) & 1) === 1;
  if (bits > 16_384 || !odd || bitLength(exponent) < 2 || bitLength(exponent) > 64) throw damaged();
}

function bitLength(number: Buffer): number {
  const start = number.findIndex(byte => byte !== 0);
  if (start < 0) return 0;
  return (number.length - start) * 8 - Math.clz32(number[start] ?? 0) + 24;
}

function damaged(): WherryError {
  return new WherryError(
    'invalid',
    'The SSH key is damaged or cut off. Paste the whole line of the .pub file.',
  );
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

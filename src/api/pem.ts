import { readFileSync } from 'node:fs';
import { parseCertificate } from '../domain/certificate.ts';
import { WherryError } from '../domain/errors.ts';

/** A certificate with its chain, and its key, as PEM. */
export type Pem = { readonly cert: string; readonly key: string };

/**
 * Reads the file of a certificate and its chain, and that of the key, unless it is in the same.
 * @throws invalid when they cannot be read, or do not fit
 */
export function readPem({ certificate, key }: { certificate: string; key: string }, now: Date): Pem {
  const text = [certificate, key].map(file => (file === '' ? '' : read(file))).join('\n');
  const parsed = parseCertificate(text, now);
  return { cert: parsed.chain, key: parsed.key };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new WherryError('invalid', `File ${file} cannot be read: ${code}. Give a PEM file.`, { cause });
  }
}

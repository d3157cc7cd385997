import { exec } from './exec.ts';

/** Days. */
const life = 365;

/**
 * PEM of a new ECDSA P-256 key and of a certificate for one host name that it signed itself, by openssl.
 * @param extensions more of them, in openssl's words
 */
export async function makeSelfSigned(host: string, extensions: readonly string[] = []): Promise<string> {
  const { stdout } = await exec('openssl', [
    'req',
    '-x509',
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(life)],
    ...['-subj', `/CN=${host.length > 64 ? 'wherry' : host}`, '-addext', `subjectAltName=DNS:${host}`],
    ...extensions.flatMap(extension => ['-addext', extension]),
    ...['-keyout', '-'],
  ]);
  return stdout;
}

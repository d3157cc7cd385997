import { exec } from './exec.ts';

/** A new ECDSA P-256 key and what asks for a certificate for one host name with it (RFC 2986), both PEM, by openssl. */
export async function makeCertificateRequest(host: string): Promise<{ key: string; request: string }> {
  const { stdout } = await exec('openssl', [
    'req',
    '-new',
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/', '-addext', `subjectAltName=DNS:${host}`],
    ...['-keyout', '-'],
  ]);
  const [key = ''] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(stdout) ?? [];
  const [request = ''] =
    /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----\n/.exec(stdout) ?? [];
  return { key, request };
}

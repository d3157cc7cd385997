import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../support/run.ts';

/** A certificate for 127.0.0.1 and git.test that signs itself. */
export async function makeCertificate(
  dir: string,
): Promise<{ file: string; tls: { key: Buffer; cert: Buffer } }> {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:git.test'];
  const files = ['-nodes', '-days', '1', '-keyout', key, '-out', cert];
  await must('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...subject]);
  return { file: cert, tls: { key: readFileSync(key), cert: readFileSync(cert) } };
}

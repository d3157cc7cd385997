import { createHash, randomUUID } from 'node:crypto';
import type { CertificateRef } from '../domain/route.ts';
import { makeSelfSigned } from '../system/self-signed.ts';
import type { Proof, Solver } from './obtain.ts';

/** What the edge proves hosts with now: answers at port 80 (RFC 8555 section 8.3), certificates at port 443 (RFC 8737). */
export class Challenges {
  readonly #publish: () => Promise<void>;
  readonly #answers = new Map<string, string>();
  /** By token; the file at the edge is named by `id`. */
  readonly #certificates = new Map<
    string,
    { readonly id: string; readonly host: string; readonly pem: string }
  >();

  /** @param publish tells the edge; resolves when it answers so */
  constructor(publish: () => Promise<void>) {
    this.#publish = publish;
  }

  /** By token. */
  answers(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#answers);
  }

  certificates(): readonly CertificateRef[] {
    return [...this.#certificates.values()].map(({ id, host }) => ({ id, names: [host], proof: true }));
  }

  /** Of one of those certificates, with its key. */
  pem(id: string): string | undefined {
    return [...this.#certificates.values()].find(each => each.id === id)?.pem;
  }

  get solvers(): Readonly<Record<'http-01' | 'tls-alpn-01', Solver>> {
    return {
      'http-01': {
        type: 'http-01',
        show: async ({ token, keyAuthorization }) => {
          this.#answers.set(token, keyAuthorization);
          await this.#publish();
        },
        hide: async ({ token }) => {
          this.#answers.delete(token);
          await this.#publish();
        },
      },
      'tls-alpn-01': {
        type: 'tls-alpn-01',
        show: async proof => {
          const pem = await makeProof(proof);
          this.#certificates.set(proof.token, { id: `proof-${randomUUID()}`, host: proof.host, pem });
          await this.#publish();
        },
        hide: async ({ token }) => {
          this.#certificates.delete(token);
          await this.#publish();
        },
      },
    };
  }
}

/** A certificate that holds the digest of the answer in a critical extension, id-pe-acmeIdentifier (RFC 8737 section 3). */
function makeProof({ host, keyAuthorization }: Proof): Promise<string> {
  const digest = createHash('sha256').update(keyAuthorization).digest('hex');
  return makeSelfSigned(host, [`1.3.6.1.5.5.7.1.31=critical,DER:0420${digest}`]);
}

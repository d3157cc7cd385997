import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateRef } from '../domain/route.ts';

/** Contexts kept in memory; each takes some ten kilobytes. */
const mostContexts = 1000;

export type ReadPem = (id: string) => Promise<string>;

/**
 * The certificates of the routes of now, by host name. Files are read when a visitor first asks for them, and what was asked for
 * last stays in memory.
 */
export class Certificates {
  readonly #read: ReadPem;
  /** Told the PEM text of what is shown to who asks for no name; set by whoever takes TLS off. */
  onFallback: ((pem: string | undefined) => void) | undefined;
  #names = new Map<string, string>();
  #proofs = new Map<string, string>();
  #refs = new Map<string, readonly string[]>();
  #fallback: string | undefined;
  /** The one used last is last. */
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  constructor(read: ReadPem = id => readFile(`tls/${id}.pem`, 'utf8')) {
    this.#read = read;
  }

  /** Makes them those of a snapshot; connections that there are keep theirs. */
  use(refs: readonly CertificateRef[]): void {
    const proofs = refs.filter(({ proof }) => proof);
    this.#names = idsByName(refs.filter(({ proof }) => !proof));
    this.#proofs = idsByName(proofs);
    const fallback = refs.find(ref => ref.fallback)?.id;
    if (fallback !== this.#fallback) {
      this.#fallback = fallback;
      this.tellFallback();
    }
    this.#refs = new Map(refs.map(({ id, names }) => [id, names] as const));
    for (const id of this.#contexts.keys()) if (!this.#refs.has(id)) this.#contexts.delete(id);
  }

  tellFallback(): void {
    const id = this.#fallback;
    const told = (pem: string | undefined) => {
      if (id === this.#fallback) this.onFallback?.(pem);
    };
    if (id === undefined) told(undefined);
    else this.#read(id).then(told, () => told(undefined));
  }

  /** Whether a visitor of this host gets a certificate that is good for it. */
  covers(host: string): boolean {
    return this.#idOf(host) !== undefined;
  }

  /** Whether a connection that asks for this name now is good for other hosts too (RFC 9110 section 7.4). */
  reach(name: string | undefined): (host: string) => boolean {
    const id = this.#shownTo(name);
    const names = new Set(id === undefined ? [] : this.#refs.get(id));
    return host =>
      names.has(host) || names.has(wildcardOf(host)) || host === name || this.#shownTo(host) === id;
  }

  /** The context for a name asked for by SNI (RFC 6066 section 3); undefined when there is none for it. */
  async context(name: string | undefined): Promise<SecureContext | undefined> {
    const id = this.#shownTo(name?.toLowerCase());
    return id === undefined ? undefined : await this.#load(id);
  }

  /** Whether a host is to be proved to a certificate authority by a certificate. */
  get proving(): boolean {
    return this.#proofs.size > 0;
  }

  /** The context that proves a host (RFC 8737 section 3). */
  async proof(host: string): Promise<SecureContext | undefined> {
    const id = this.#proofs.get(host.toLowerCase());
    return id === undefined ? undefined : await this.#load(id);
  }

  /** Exact name first, then `*.rest` for one more label (RFC 6125 section 6.4.3). */
  #idOf(host: string): string | undefined {
    return this.#names.get(host) ?? this.#names.get(wildcardOf(host));
  }

  #shownTo(name: string | undefined): string | undefined {
    return (name === undefined ? undefined : this.#idOf(name)) ?? this.#fallback;
  }

  #load(id: string): Promise<SecureContext> {
    const known = this.#contexts.get(id);
    if (known) {
      this.#contexts.delete(id);
      this.#contexts.set(id, known);
      return known;
    }
    const made = this.#read(id).then(pem => createSecureContext({ cert: pem, key: pem, ...protocols }));
    this.#contexts.set(id, made);
    // One that cannot be read is tried again with the next visitor.
    made.catch(() => this.#contexts.delete(id));
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > mostContexts && oldest !== undefined) this.#contexts.delete(oldest);
    return made;
  }
}

function idsByName(refs: readonly CertificateRef[]): Map<string, string> {
  return new Map(refs.flatMap(({ id, names }) => names.map(name => [name, id] as const)));
}

function wildcardOf(host: string): string {
  const dot = host.indexOf('.');
  return dot > 0 ? `*${host.slice(dot)}` : '';
}

/** TLS 1.2 with forward secrecy and authenticated encryption alone (RFC 9325 section 4.2), and TLS 1.3. */
export const protocols = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
} as const;

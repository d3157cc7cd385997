import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { WherryError } from './errors.ts';

/** A certificate with the chain that leads to its authority, and its private key. */
export type Certificate = {
  /** Names its content: chain and key. */
  readonly id: string;
  /** PEM, the certificate itself first. */
  readonly chain: string;
  /** PEM. A secret. */
  readonly key: string;
  /** Host names that it is for, exact or `*.rest`, lower case. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Who issued it, as one line. */
  readonly issuer: string;
  readonly selfSigned: boolean;
};

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const keyBlock = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[^-]+-----END \1-----/g;
/** Bits; shorter RSA keys are refused by browsers. */
const shortestRsa = 2048;

/**
 * Reads PEM text that holds a certificate, its chain and its key, in any order of chain and key.
 * @throws invalid saying what is missing or does not fit
 */
export function parseCertificate(pem: string, now: Date): Certificate {
  const blocks = pem.match(certificateBlock) ?? [];
  if (blocks.length === 0)
    throw invalid(
      'There is no certificate in it',
      'Give PEM text that begins with -----BEGIN CERTIFICATE-----.',
    );
  const { text: key, object } = readKey(pem);
  const all = blocks.map(readBlock);
  const leaf = all.find(({ certificate }) => certificate.checkPrivateKey(object));
  if (!leaf)
    throw invalid(
      'The key does not belong to the certificate',
      'Give the key that the certificate was made with.',
    );
  checkStrength(object);
  const { certificate } = leaf;
  const notAfter = new Date(certificate.validTo);
  if (notAfter <= now)
    throw invalid(`The certificate expired on ${notAfter.toISOString().slice(0, 10)}`, 'Renew it first.');
  const names = namesOf(certificate);
  if (names.length === 0)
    throw invalid('The certificate names no host', 'Give one with subject alternative names.');
  const chain = `${ordered(leaf, all).join('\n')}\n`;
  return {
    id: createHash('sha256').update(chain).update(key).digest('hex').slice(0, 40),
    chain,
    key,
    names,
    notBefore: new Date(certificate.validFrom),
    notAfter,
    issuer: certificate.issuer.split('\n').join(', '),
    selfSigned: certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey),
  };
}

/** Whether a certificate for `name` is good for `host`; `*.rest` for one more label alone (RFC 6125 section 6.4.3). */
export function isFor(name: string, host: string): boolean {
  if (name === host) return true;
  const dot = host.indexOf('.');
  return name.startsWith('*.') && dot > 0 && name.slice(1) === host.slice(dot);
}

function readKey(pem: string): { text: string; object: KeyObject } {
  const keys = pem.match(keyBlock) ?? [];
  const [text] = keys;
  if (text === undefined)
    throw invalid('There is no private key in it', 'Give PEM text with -----BEGIN PRIVATE KEY----- too.');
  if (keys.length > 1) throw invalid('There is more than one private key in it', 'Give the one that fits.');
  if (/ENCRYPTED/.test(text))
    throw invalid('The private key has a passphrase', 'Take it off with "openssl pkey -in KEY -out PLAIN".');
  return { text: `${text}\n`, object: read(() => createPrivateKey(text), 'The private key cannot be read') };
}

function checkStrength(key: KeyObject): void {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  const usable = key.asymmetricKeyType === 'ec' || (bits !== undefined && bits >= shortestRsa);
  if (!usable)
    throw invalid(
      `The private key (${key.asymmetricKeyType}${bits === undefined ? '' : `, ${bits} bits`}) is not taken by browsers`,
      'Use ECDSA P-256 or RSA of 2048 bits or more.',
    );
}

type Block = { readonly text: string; readonly certificate: X509Certificate };

function readBlock(text: string): Block {
  return { text, certificate: read(() => new X509Certificate(text), 'A certificate cannot be read') };
}

/** The leaf, then each one's issuer, as far as they were given (RFC 8446 section 4.4.2). */
function ordered(leaf: Block, all: readonly Block[]): string[] {
  const { fingerprint256 } = leaf.certificate;
  const others = all.filter(({ certificate }) => certificate.fingerprint256 !== fingerprint256);
  const chain = [leaf.text];
  for (let last = leaf; ; ) {
    const at = others.findIndex(({ certificate }) => last.certificate.checkIssued(certificate));
    const [next] = at < 0 ? [] : others.splice(at, 1);
    if (!next) return chain;
    chain.push(next.text);
    last = next;
  }
}

function namesOf(leaf: X509Certificate): string[] {
  const alternatives = leaf.subjectAltName?.split(', ') ?? [];
  const names = alternatives.flatMap(entry =>
    entry.startsWith('DNS:') ? [entry.slice(4).toLowerCase()] : [],
  );
  return [...new Set(names.filter(name => /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name)))];
}

function read<Value>(work: () => Value, what: string): Value {
  try {
    return work();
  } catch (cause) {
    throw invalid(what, 'Check that it is whole PEM text.', cause);
  }
}

function invalid(what: string, remedy: string, cause?: unknown): WherryError {
  return new WherryError('invalid', `${what}. ${remedy}`, { cause });
}

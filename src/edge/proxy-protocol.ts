// The header that a TCP balancer writes before a connection's first byte, to tell whose connection it passes on
// (PROXY protocol, versions 1 and 2).
import { isIP } from 'node:net';
import { plainAddress } from './trusted.ts';

export type ProxyHeader = {
  /** Bytes it takes. */
  readonly size: number;
  /** Undefined when the balancer speaks for itself (a health check) or does not know. */
  readonly origin: Origin | undefined;
};

/** What a connection is for the visitor. */
export type Origin = {
  readonly address: string;
  /** The port the visitor connected to. */
  readonly port: number;
  /** The balancer ended TLS. */
  readonly tls: boolean;
};

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const maxV1 = 107;
const maxV2 = 4096;

/** Reads the header at the start of `bytes`. @returns `more` when it may follow, `bad` when this is none */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'bad' {
  const begun = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, begun, 0, begun) === 0)
    return bytes.length < 16 ? 'more' : readBinary(bytes);
  const word = 'PROXY '.slice(0, bytes.length);
  return bytes.toString('latin1', 0, word.length) === word ? readText(bytes) : 'bad';
}

function readText(bytes: Buffer): ProxyHeader | 'more' | 'bad' {
  const end = bytes.subarray(0, maxV1).indexOf('\r\n', 0, 'latin1');
  if (end < 0) return bytes.length < maxV1 ? 'more' : 'bad';
  const line = bytes.toString('latin1', 0, end);
  const size = end + 2;
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { size, origin: undefined };
  const [, family, source = '', target = '', , port = ''] =
    /^PROXY TCP([46]) (\S+) (\S+) ([0-9]{1,5}) ([0-9]{1,5})$/.exec(line) ?? [];
  const right = isIP(source) === Number(family) && isIP(target) === Number(family) && Number(port) < 65_536;
  if (!right) return 'bad';
  return { size, origin: { address: plainAddress(source), port: Number(port), tls: false } };
}

function readBinary(bytes: Buffer): ProxyHeader | 'more' | 'bad' {
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13) >> 4;
  const length = bytes.readUInt16BE(14);
  const size = 16 + length;
  if (command >> 4 !== 2 || (command & 15) > 1 || size > maxV2) return 'bad';
  if (bytes.length < size) return 'more';
  if ((command & 15) === 0) return { size, origin: undefined };
  const rest = bytes.subarray(16, size);
  const addresses = { 1: 12, 2: 36 }[family];
  if (addresses === undefined) return { size, origin: undefined };
  if (length < addresses) return 'bad';
  const address = family === 1 ? [...rest.subarray(0, 4)].join('.') : groups(rest.subarray(0, 16));
  const tls = hasTls(rest.subarray(addresses));
  return { size, origin: { address: plainAddress(address), port: rest.readUInt16BE(addresses - 2), tls } };
}

/** Sixteen bytes in the canonical form of an IPv6 address. */
function groups(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  const mapped = bytes.subarray(0, 12).equals(Buffer.from([...Array(10).fill(0), 255, 255]));
  return mapped
    ? `::ffff:${[...bytes.subarray(12)].join('.')}`
    : new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** Whether the extra fields say that the visitor came over TLS (PP2_TYPE_SSL with PP2_CLIENT_SSL). */
function hasTls(fields: Buffer): boolean {
  for (let at = 0; at + 3 <= fields.length; at += 3 + fields.readUInt16BE(at + 1))
    if (fields[at] === 0x20 && fields.readUInt16BE(at + 1) >= 1) return ((fields[at + 3] ?? 0) & 1) === 1;
  return false;
}

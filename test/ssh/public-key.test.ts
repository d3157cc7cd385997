import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../src/domain/public-key.ts';
import { must } from '../support/run.ts';

let dir = '';
let count = 0;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-key-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function makeKey(
  type: string,
  bits: string,
): Promise<{ line: string; privateKey: string; fingerprint: string }> {
  count += 1;
  const file = join(dir, `key-${count}`);
  await must('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-C', 'me@home', '-f', file]);
  const listed = await must('ssh-keygen', ['-lf', `${file}.pub`]);
  return {
    line: readFileSync(`${file}.pub`, 'utf8'),
    privateKey: readFileSync(file, 'utf8'),
    fingerprint: listed.split(' ')[1] ?? '',
  };
}

describe('a public SSH key', () => {
  it.each([
    ['ed25519', '256'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
  ])('of type %s with %s bits is read with the fingerprint that ssh-keygen shows', async (type, bits) => {
    const made = await makeKey(type, bits);
    const key = parsePublicKey(made.line);
    expect(key.fingerprint).toBe(made.fingerprint);
    expect(key.comment).toBe('me@home');
    expect(`${key.type} ${key.blob.toString('base64')}`).toBe(made.line.split(' ').slice(0, 2).join(' '));
  });

  it('that is private is refused without being repeated', async () => {
    const { privateKey } = await makeKey('ed25519', '256');
    expect(() => parsePublicKey(privateKey)).toThrow(/private key.*\.pub/);
  });

  it('of RSA below 2048 bits is refused with its size', async () => {
    const weak = await makeKey('rsa', '1024');
    expect(() => parsePublicKey(weak.line)).toThrow(/1024 bits, and 2048/);
  });

  it.each([
    ['ssh-ed25519-cert-v01@openssh.com AAAA', /certificates/],
    ['sk-ssh-ed25519@openssh.com AAAA', /security key/],
    ['ssh-dss AAAA', /DSA/],
    ['', /No SSH key/],
    ['# only a comment', /No SSH key/],
    ['hello world', /not an OpenSSH public key/],
    ['command="id" ssh-ed25519 AAAA', /not an OpenSSH public key/],
    ['ssh-ed25519', /damaged/],
    ['ssh-ed25519 !!!!', /damaged/],
    ['ssh-ed25519 AAAA', /damaged/],
    ['constructor AAAA', /not an OpenSSH public key/],
  ])('%j is refused with the reason', (line, reason) => {
    expect(() => parsePublicKey(line)).toThrow(reason);
  });

  it('that is cut off, padded or of another type than it says is refused', async () => {
    const { line } = await makeKey('ed25519', '256');
    const [type = '', data = ''] = line.split(' ');
    const blob = Buffer.from(data, 'base64');
    const encode = (bytes: Buffer) => `${type} ${bytes.toString('base64')}`;
    expect(() => parsePublicKey(encode(blob.subarray(0, -1)))).toThrow(/damaged/);
    expect(() => parsePublicKey(encode(Buffer.concat([blob, Buffer.from([0])])))).toThrow(/damaged/);
    expect(() => parsePublicKey(`ssh-rsa ${data}`)).toThrow(/differ/);
    expect(() => parsePublicKey(`${line}${line}`)).toThrow(/one at a time/);
  });

  it('of ECDSA whose point is not on the curve is refused', async () => {
    const blob = Buffer.from((await makeKey('ecdsa', '256')).line.split(' ')[1] ?? '', 'base64');
    blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
    expect(() => parsePublicKey(`ecdsa-sha2-nistp256 ${blob.toString('base64')}`)).toThrow(/damaged/);
  });
});

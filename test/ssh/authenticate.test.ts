import { generateKeyPairSync, sign } from 'node:crypto';
import ssh2, { type AuthContext, type ParsedKey } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../src/domain/public-key.ts';
import { type FindKey, judge } from '../../src/ssh/authenticate.ts';

const blob = Buffer.from('what is signed');

function makeKey(type: 'ed25519' | 'rsa'): ReturnType<typeof keyOf> {
  for (;;) {
    const pair =
      type === 'rsa'
        ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
        : ssh2.utils.generateKeyPairSync('ed25519');
    const parsed = ssh2.utils.parseKey(pair.private);
    // ssh2 makes a malformed ed25519 key now and then.
    if (!(parsed instanceof Error)) return keyOf(type, pair.public, parsed);
  }
}

function keyOf(type: 'ed25519' | 'rsa', publicKey: string, parsed: ParsedKey) {
  const key = parsePublicKey(publicKey);
  const findKey: FindKey = fingerprint =>
    fingerprint === key.fingerprint
      ? { name: 'me', publicKey: `${key.type} ${key.blob.toString('base64')}` }
      : undefined;
  const context = (change: object = {}): AuthContext =>
    ({
      method: 'publickey',
      username: 'wherry',
      key: { algo: key.type, data: key.blob },
      blob,
      signature: parsed.sign(blob, type === 'rsa' ? 'sha512' : undefined),
      hashAlgo: type === 'rsa' ? 'sha512' : undefined,
      ...change,
    }) as unknown as AuthContext;
  return { key, findKey, context };
}

describe('a login', () => {
  const { key, findKey, context } = makeKey('ed25519');

  it.each(['wherry', 'dokku', 'git'])('as %s with a registered key is who the key is', username => {
    expect(judge(context({ username }), findKey)).toEqual({
      kind: 'login',
      actor: { name: 'me', via: 'ssh', fingerprint: key.fingerprint },
    });
  });

  it.each(['root', '', 'Wherry', 'wherry '])('as %j is refused as a wrong key is', username => {
    const stranger = makeKey('ed25519');
    const wrongName = judge(context({ username }), findKey);
    const wrongKey = judge(stranger.context(), findKey);
    expect(wrongName.kind).toBe('refused');
    expect(wrongKey.kind).toBe('refused');
  });

  it('without a signature is a question, not a login', () => {
    expect(judge(context({ signature: undefined, blob: undefined }), findKey)).toEqual({ kind: 'probe' });
    expect(judge(context({ blob: undefined }), findKey)).toEqual({ kind: 'probe' });
  });

  it('with a signature over something else, or none at all, is refused', () => {
    expect(judge(context({ blob: Buffer.from('another session') }), findKey).kind).toBe('refused');
    expect(judge(context({ signature: Buffer.alloc(64) }), findKey).kind).toBe('refused');
    expect(judge(context({ signature: Buffer.alloc(1) }), findKey).kind).toBe('refused');
  });

  it('with the key of another type, cut off, or rubbish is refused', () => {
    expect(judge(context({ key: { algo: 'ssh-rsa', data: key.blob } }), findKey).kind).toBe('refused');
    expect(judge(context({ key: { algo: key.type, data: key.blob.subarray(1) } }), findKey).kind).toBe(
      'refused',
    );
    expect(judge(context({ key: { algo: key.type, data: Buffer.alloc(0) } }), findKey).kind).toBe('refused');
  });

  it.each(['password', 'none', 'keyboard-interactive', 'hostbased'])('by %s is refused', method => {
    expect(judge(context({ method }), findKey).kind).toBe('refused');
  });

  it('with RSA needs SHA-2', () => {
    const rsa = makeKey('rsa');
    expect(judge(rsa.context(), rsa.findKey).kind).toBe('login');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const sha1 = { hashAlgo: undefined, signature: sign('sha1', blob, privateKey) };
    expect(judge(rsa.context(sha1), rsa.findKey)).toMatchObject({
      kind: 'refused',
      reason: 'SHA-1 signature',
    });
  });
});

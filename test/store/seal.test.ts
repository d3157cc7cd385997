import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSeal } from '../../src/store/seal.ts';

const key = randomBytes(32);
const seal = createSeal(key);
const place = ['config', 1, 'A'] as const;

describe('a sealed value', () => {
  it('opens in its place, byte for byte', () => {
    for (const value of ['', 'x', 'ünï\0\n', 'x'.repeat(100_000)])
      expect(seal.open(seal.seal(value, place), place)).toBe(value);
  });

  it('is never the same twice', () => {
    expect(seal.seal('x', place).equals(seal.seal('x', place))).toBe(false);
  });

  it.each([
    ['of another app', ['config', 2, 'A']],
    ['of another key', ['config', 1, 'B']],
    ['of another table', ['releases', 1, 'A']],
    ['whose names are cut elsewhere', ['config', 1, 'A', '']],
    ['whose number is a text', ['config', '1', 'A']],
  ] as const)('does not open in a place %s', (_, other) => {
    expect(() => seal.open(seal.seal('x', place), other)).toThrow(/not put/);
  });

  it.each([0, 4, 8, 20, 36])('does not open when byte %i was changed', at => {
    const sealed = seal.seal('x', place);
    sealed[at] = (sealed[at] ?? 0) ^ 1;
    expect(() => seal.open(sealed, place)).toThrow(/secret\.key|damaged/);
  });

  it.each([0, 7, 8, 19, 20, 35])('does not open when only %i bytes of it are left', length => {
    expect(() => seal.open(seal.seal('x', place).subarray(0, length), place)).toThrow(/secret\.key|damaged/);
  });

  it('of before there were places opens as such alone', () => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const body = Buffer.concat([cipher.update('old'), cipher.final()]);
    const sealed = Buffer.concat([nonce, cipher.getAuthTag(), body]);
    expect(seal.openUnlabelled(sealed)).toBe('old');
    expect(() => seal.open(sealed, place)).toThrow(/secret\.key/);
    expect(() => createSeal(randomBytes(32)).openUnlabelled(sealed)).toThrow(/secret\.key/);
  });
});

describe('a change of keys', () => {
  it('seals with the new one and opens with both, until the old one is dropped', () => {
    const kept: number[] = [];
    const changing = createSeal(key, keys => void kept.push(keys.length));
    const before = changing.seal('before', place);
    changing.addKey();
    const after = changing.seal('after', place);
    expect(after.subarray(0, 8).equals(before.subarray(0, 8))).toBe(false);
    expect([changing.open(before, place), changing.open(after, place)]).toEqual(['before', 'after']);
    changing.dropOtherKeys();
    expect(changing.open(after, place)).toBe('after');
    expect(() => changing.open(before, place)).toThrow(/secret\.key/);
    expect(kept).toEqual([64, 32]);
  });

  it('does not take place when the new key cannot be kept', () => {
    const failing = createSeal(key, () => {
      throw new Error('disk full');
    });
    expect(() => failing.addKey()).toThrow('disk full');
    expect(failing.isRotating()).toBe(false);
    expect(seal.open(failing.seal('x', place), place)).toBe('x');
  });
});

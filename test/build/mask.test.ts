import { describe, expect, it } from 'vitest';
import { createLines } from '../../src/build/lifecycle/output.ts';
import { createMask, masked, maskProgress } from '../../src/build/mask.ts';
import type { Progress } from '../../src/domain/push.ts';

const mask = (...values: string[]) =>
  createMask(Object.fromEntries(values.map((value, at) => [`K${at}`, value])));

/** What is shown of a program's output that comes in chunks. */
function shown(chunks: readonly (string | Buffer)[], ...values: string[]): string[] {
  const seen: string[] = [];
  const keep = (text: string) => void seen.push(text);
  const progress: Progress = { header: keep, step: keep, detail: keep, warn: keep, raw: keep };
  const lines = createLines(maskProgress(progress, mask(...values)).raw);
  for (const chunk of chunks) lines.write(Buffer.from(chunk));
  lines.end();
  return seen;
}

describe('a secret', () => {
  it('is hidden wherever it stands, in every kind of line', () => {
    const seen: string[] = [];
    const keep = (text: string) => void seen.push(text);
    const progress = maskProgress(
      { header: keep, step: keep, detail: keep, warn: keep, raw: keep },
      mask('hunter2'),
    );
    for (const tell of Object.values(progress)) tell('a hunter2hunter2, hunter');
    expect(seen).toEqual(Array(5).fill(`a ${masked}, hunter`));
  });

  it('is hidden when the output comes byte by byte, also one beyond ASCII', () => {
    const secret = 'pässwörd€';
    const bytes = [...Buffer.from(`the ${secret}!\n`)].map(byte => Buffer.from([byte]));
    expect(shown(bytes, secret)).toEqual([`the ${masked}!`]);
  });

  it.each(['.*.*.*', '$&$1$`', '(((((((', '[a-z]+\\', '^secret$'])('may be %s', secret => {
    expect(mask(secret).text(`x${secret}y abcdef secret`)).toBe(`x${masked}y abcdef secret`);
  });

  it('is hidden with others that overlap it, hold it, or repeat themselves', () => {
    expect(mask('abcdef', 'defghi').text('-abcdefghi-')).toBe(`-${masked}-`);
    expect(mask('secret', 'my secret key').text('my secret key, secret')).toBe(`${masked}, ${masked}`);
    expect(mask('aaaaaa').text(`b${'a'.repeat(15)}b`)).toBe(`b${masked}b`);
  });

  it('is hidden also where colours part it', () => {
    expect(shown(['my \x1b[1msec\x1b[0mret-value!\n'], 'secret-value')).toEqual([`my ${masked}!`]);
  });

  it('that is write-only is hidden from four characters on, and whatever word it is', () => {
    const config = { PIN: '4711', WORD: 'production', MODE: 'staging', N: '5000' };
    const { text } = createMask(config, ['PIN', 'WORD']);
    expect(text('4711 production staging 5000')).toBe(`${masked} ${masked} staging 5000`);
  });

  it('is found among thousands of them in one pass', () => {
    const secrets = Array.from({ length: 3000 }, (_, at) => `secret-${at}-${'x'.repeat(at)}`);
    const many = mask(...secrets);
    const begun = performance.now();
    for (let at = 0; at < 20_000; at += 1) many.text(`a line of which there are ${at}, and no secret`);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(many.text(`the ${secrets[2999]}!`)).toBe(`the ${masked}!`);
  });

  it('is no word that everybody has', () => {
    const text = 'NODE_ENV is production at localhost';
    expect(mask('production', 'localhost', 'true', '5000').text(text)).toBe(text);
    expect(mask('production-key').text('production-key')).toBe(masked);
  });

  it('of several lines is hidden line by line', () => {
    const key = '-----BEGIN KEY-----\r\nMIIabcdefg\nxyz\n';
    expect(shown([`${key}end\n`], key)).toEqual([masked, masked, 'xyz', 'end']);
  });

  it('shows no part where a line too long is cut', () => {
    const secret = 'correct-horse-battery';
    for (let at = 1; at < secret.length; at += 1) {
      const fill = 'x'.repeat(4096 - at);
      expect(shown([`${fill}${secret} rest\n`], secret)).toEqual([`${fill}${masked}`]);
      const chunks = [`${fill}${secret.slice(0, at + 1)}`, `${secret.slice(at + 1)} rest\n`];
      expect(shown(chunks, secret)).toEqual([
        `${fill}${masked}`,
        at + 1 < secret.length ? `${masked} rest` : ' rest',
      ]);
    }
  });

  it('longer than a line shows no part either', () => {
    const secret = Array.from({ length: 3000 }, (_, at) => `${at};`).join('');
    for (const line of shown([`say ${secret} end\n`], secret)) expect(line).not.toContain('100;101');
  });

  it('may be very long without the mask becoming slow', () => {
    const began = performance.now();
    mask('ab'.repeat(60_000), 'a'.repeat(100_000)).line('ab'.repeat(2048));
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('what is no secret', () => {
  it('is shown as it is: short values, and lines that are long', () => {
    const long = 'y'.repeat(4096);
    expect(shown([`true 5000\n${long}\nnext\n`], 'true', '5000', 'topsecret')).toEqual([
      'true 5000',
      long,
      'next',
    ]);
  });
});

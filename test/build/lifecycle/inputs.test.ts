import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstChange, inputsSchema, takeSnapshot } from '../../../src/build/lifecycle/inputs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-inputs-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const key = Buffer.alloc(32, 7);
const inputs = { files: ['a', 'b'], exists: ['c'], env: ['MODE'] };
const around = (config: Record<string, string> = {}) => ({ dir, config, key });

describe('declared inputs', () => {
  it('see a change of content, of presence and of config, and nothing else', () => {
    writeFileSync(join(dir, 'a'), '1');
    const before = takeSnapshot([inputs], around({ MODE: 'x' }));
    expect(firstChange(before, around({ MODE: 'x', OTHER: 'y' }))).toBeUndefined();
    expect(firstChange(before, around({ MODE: 'y' }))).toBe('config MODE');
    expect(firstChange(before, around())).toBe('config MODE');
    writeFileSync(join(dir, 'c'), 'new');
    expect(firstChange(before, around({ MODE: 'x' }))).toBe('c');
    writeFileSync(join(dir, 'b'), '');
    expect(firstChange(before, around({ MODE: 'x' }))).toBe('b');
    writeFileSync(join(dir, 'a'), '2');
    expect(firstChange(before, around({ MODE: 'x' }))).toBe('a');
  });

  it('do not see content where only presence counts', () => {
    writeFileSync(join(dir, 'c'), '1');
    const before = takeSnapshot([inputs], around());
    writeFileSync(join(dir, 'c'), '2');
    expect(firstChange(before, around())).toBeUndefined();
  });

  it('hold no config value', () => {
    expect(JSON.stringify(takeSnapshot([inputs], around({ MODE: 'secret' })))).not.toContain('secret');
  });

  it('see a file that becomes a link or a folder, without following the link', () => {
    writeFileSync(join(dir, 'a'), '1');
    writeFileSync(join(dir, 'same'), '1');
    const before = takeSnapshot([inputs], around());
    rmSync(join(dir, 'a'));
    symlinkSync('same', join(dir, 'a'));
    expect(firstChange(before, around())).toBe('a');
    rmSync(join(dir, 'a'));
    mkdirSync(join(dir, 'a'));
    expect(firstChange(before, around())).toBe('a');
  });

  it.each(['/etc/passwd', '../x', 'a/../../b', ''])('refuse the path %j', path => {
    expect(inputsSchema.safeParse({ files: [path] }).success).toBe(false);
  });
});

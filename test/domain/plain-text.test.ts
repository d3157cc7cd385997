import { describe, expect, it } from 'vitest';
import { foreignLine, plainJson, plainLine, plainText } from '../../src/domain/plain-text.ts';

describe('plain text', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
    ['cursor home and clear', 'a\x1b[H\x1b[2Jb', 'ab'],
    ['private modes', '\x1b[?1049h\x1b[?25lx', 'x'],
    ['a report of the cursor', 'x\x1b[6n', 'x'],
    ['a title, ended by BEL and by ST', '\x1b]0;evil\x07a\x1b]2;evil\x1b\\b', 'ab'],
    ['the clipboard (OSC 52)', '\x1b]52;c;ZXZpbA==\x07x', 'x'],
    ['a link (OSC 8), but for its text', '\x1b]8;;https://evil.example\x1b\\safe\x1b]8;;\x1b\\', 'safe'],
    [
      'device control, and application strings',
      '\x1bP+q544e\x1b\\a\x1b_evil\x1b\\b\x1b^p\x1b\\c\x1bXs\x1b\\d',
      'abcd',
    ],
    ['a full reset, and character sets', '\x1bcx\x1b(0y\x1b)By', 'xyy'],
    ['the same in eight bits', '\x9b2Jx\x9d0;t\x9cy\x90q\x9cz', 'xyz'],
  ])('has no %s', (_, text, plain) => expect(plainText(text)).toBe(plain));

  it.each([
    ['an escape that is none', 'a\x1b', 'a^['],
    ['a string that does not end', '\x1b]0;all of this', '^[]0;all of this'],
    ['a sequence that is put together from what is left', '\x1b\x1b[0m[2J', '^[[2J'],
    ['a carriage return in the middle', 'safe\rrm -rf', 'safe^Mrm -rf'],
    ['backspace, bell, NUL, form feed, delete', 'a\b\x07\0\f\x7f', 'a^H^G^@^L^?'],
    ['a next line of eight bits', 'a\x85b', 'a\ufffdb'],
    ['turned writing', 'a\u202egnp.exe\u2066b\u2069', 'a\ufffdgnp.exe\ufffdb\ufffd'],
  ])('shows %s', (_, text, plain) => expect(plainText(text)).toBe(plain));

  it('keeps tabs, line ends of both kinds as one, and every other character', () => {
    const text = 'a\tb\nünï 世界 👩‍👩‍👧 עברית \u200f';
    expect(plainText(text)).toBe(text);
    expect(plainText('a\r\nb\r\n')).toBe('a\nb\n');
  });

  it('keeps colours alone where they are wanted, and ends them', () => {
    const text = '\x1b[32mgreen\x1b[2K\x1b]0;t\x07\x1b[38;5;8m\x1b[4:3mx';
    expect(plainText(text, { colours: true })).toBe('\x1b[32mgreen\x1b[38;5;8m\x1b[4:3mx\x1b[0m');
    expect(plainText('\x1b[32mx\x1b[0m', { colours: true })).toBe('\x1b[32mx\x1b[0m');
    expect(plainText('\x1b\x1b[0m[2J', { colours: true })).toBe('^[\x1b[0m[2J\x1b[0m');
  });

  it('is made in time that grows with its length alone', () => {
    const hostile = ['\x1b]', '\x1b[', '\x1b[;', '\x1b(', '\x9d', '\r', '\x1b[0;', '\x1bP\x1b'];
    const start = performance.now();
    for (const part of hostile) plainText(part.repeat(100_000));
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('never has a control character left, whatever it was', () => {
    for (let code = 0; code < 0xa1; code += 1)
      for (const next of ['', '[', ']', '2J', '[2J', 'c', '(0'])
        expect(plainText(`${String.fromCharCode(code)}${next}`)).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
  });
});

describe('one line', () => {
  it('is what several were', () => expect(plainLine('a \r\n\n  b\n')).toBe('a b'));
});

describe("a program's line", () => {
  it.each([
    '-----> Released v9',
    '=====> Application deployed:',
    ' !     Not allowed',
    '!',
    'remote: -----> x',
  ])('that looks like the platform’s stands further in: %s', line => {
    expect(foreignLine(line)).toBe(`       ${line}`);
    expect(foreignLine(`\u200b \u00a0${line}`)).toBe(`       \u200b \u00a0${line}`);
    expect(foreignLine(`\x1b[2K\x1b[1m${line}`)).toBe(`       ${line}`);
    expect(foreignLine(`first\n${line}`)).toBe(`first\n       ${line}`);
  });

  it.each(['', 'npm warn', '---> Step 1', '       -----> indented', '!important', '--------', 'remotely'])(
    'stays as it is otherwise: %j',
    line => expect(foreignLine(line)).toBe(line),
  );

  it('cannot go back to the front of its line', () => {
    expect(foreignLine('x\r-----> Released')).toBe('x^M-----> Released');
  });
});

describe('JSON', () => {
  it('reads as the same, without what a terminal obeys', () => {
    const value = { a: '\x1b[2J\x9b2J\x7f\u202e ünï' };
    const json = plainJson(JSON.stringify(value));
    expect(JSON.parse(json)).toEqual(value);
    expect(json).not.toMatch(/[\x7f-\x9f\u202e\x1b]/);
  });
});

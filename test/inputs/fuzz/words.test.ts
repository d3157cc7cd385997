import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { parseObject } from '../../../src/api/json.ts';
import { sshArguments } from '../../../src/cli/ssh.ts';
import { readInvocation, readWords } from '../../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../../src/commands/index.ts';
import { parseJson, parseWords } from '../../../src/commands/parse.ts';
import { splitWords } from '../../../src/domain/words.ts';
import { always, hostileText, orRefused } from './property.ts';

const marks = [
  "'",
  '"',
  '\\',
  ' ',
  '\n',
  '\t',
  '\r',
  '\0',
  '$',
  '`',
  ';',
  '=',
  '--',
  '-',
  'a',
  '\u00a0',
  '\ufffd',
];
const word = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(text => !/[\0\ufffd]/.test(text));

/** Each word in one of the ways that a person may quote it. */
const quoted = word.chain(text =>
  fc
    .constantFrom(
      `'${text.replaceAll("'", `'"'"'`)}'`,
      `"${text.replace(/["\\$`]/g, '\\$&')}"`,
      text === '' ? "''" : [...text].map(char => (char === '\n' ? "'\n'" : `\\${char}`)).join(''),
    )
    .map(line => ({ text, line })),
);

describe('a command line', () => {
  always('is split or refused', {
    of: hostileText(marks),
    corpus: 'words',
    holds: line => {
      const words = orRefused(() => splitWords(line));
      for (const each of words ?? []) expect(each).not.toMatch(/[\0\ufffd]/);
    },
  });

  always('gives back the words that were quoted, whichever way', {
    of: fc.array(quoted, { maxLength: 12 }),
    holds: words => {
      const line = words.map(each => each.line).join(' ');
      expect(splitWords(line)).toEqual(words.map(each => each.text));
    },
  });

  always('brings what the client sends by ssh', {
    of: fc.array(word, { minLength: 1, maxLength: 12 }),
    holds: words => {
      const remote = { user: 'wherry', host: 'example.org' };
      const line = sshArguments(remote, words, { terminal: false, asks: true }).at(-1);
      expect(splitWords(line ?? '')).toEqual(words);
    },
  });
});

describe('a command', () => {
  const registry = createCoreRegistry();
  const command = fc.constantFrom(...registry.list());
  const flags = registry.list().flatMap(({ flags = {} }) => Object.keys(flags));
  const words = fc.array(
    fc.oneof(
      fc.constantFrom(
        '--',
        '--app',
        '--global',
        '--format',
        'json',
        '--all',
        '-n',
        '-',
        '=',
        'blog',
        'web=1',
        'A=B',
        '1',
      ),
      fc
        .constantFrom(...flags)
        .map(name => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`),
      hostileText(marks, 200),
    ),
    { maxLength: 10 },
  );

  always('takes whatever words or refuses them', {
    of: fc.tuple(command, words),
    holds: ([{ name }, given]) => {
      orRefused(() => {
        const { name: found, rest, globals } = readInvocation([name, ...given]);
        const known = registry.find(found ?? 'help');
        parseWords(known, readWords(known, rest, globals));
      });
    },
  });

  always('takes whatever JSON or refuses it', {
    of: command.chain(known =>
      fc.tuple(
        fc.constant(known),
        fc.dictionary(
          fc.constantFrom(...Object.keys(known.args), ...Object.keys(known.flags ?? {}), '__proto__', 'x'),
          fc.oneof(
            fc.jsonValue({ maxDepth: 3 }),
            hostileText(marks, 200),
            fc.constantFrom('blog', 'clear', '--global'),
          ),
          { maxKeys: 5 },
        ),
      ),
    ),
    holds: ([known, body]) => void orRefused(() => parseJson(known, body)),
  });

  always('has JSON that is read as JSON.parse does, or refused', {
    of: fc.oneof(
      fc.json(),
      hostileText(['{', '}', '[', ']', '"', ':', ',', '\\u', 'd800', '1', 'a', ' ', '\\']),
    ),
    holds: text => {
      const read = orRefused(() => parseObject(Buffer.from(text)));
      if (read !== undefined && text.trim() !== '')
        expect(read).toEqual(JSON.parse(Buffer.from(text).toString()));
    },
  });
});

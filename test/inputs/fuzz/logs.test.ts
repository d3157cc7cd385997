import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { combined } from '../../../src/commands/proxy-logs.ts';
import { parseLines } from '../../../src/runtime/log-files.ts';
import { always, hostileText } from './property.ts';

const words = [
  '2026-01-01T00:00:00.5Z',
  ' ',
  'stdout',
  'stderr',
  'F',
  'P',
  '\n',
  '\r',
  '\t',
  '\0',
  '\x1b[2J',
  '\xff',
  'x',
  '-----> ',
];

describe('lines of logs', () => {
  always('have a time, a stream and a text, whatever is in the file', {
    of: hostileText(words),
    corpus: 'log-lines',
    holds: text => {
      for (const line of parseLines(text, 'web.1')) {
        expect(Number.isNaN(line.at.getTime())).toBe(false);
        expect(['stdout', 'stderr']).toContain(line.stream);
        expect(line.text).not.toContain('\n');
      }
    },
  });

  always('give back what an app said, however it was cut', {
    of: fc.array(
      fc.tuple(
        fc.constantFrom('stdout', 'stderr'),
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      ),
      { maxLength: 8 },
    ),
    holds: said => {
      const plain = said.map(
        ([stream, parts]) => [stream, parts.map(part => part.replaceAll(/[\n\r]/g, ''))] as const,
      );
      const file = plain
        .flatMap(([stream, parts]) =>
          parts.map(
            (part, at) => `2026-01-01T00:00:00Z ${stream} ${at === parts.length - 1 ? 'F' : 'P'} ${part}\n`,
          ),
        )
        .join('');
      const read = parseLines(Buffer.from(file).toString('latin1'), 'web.1');
      expect(read.map(({ stream, text }) => [stream, text])).toEqual(
        plain.map(([stream, parts]) => [stream, parts.join('')]),
      );
    },
  });

  always('of visits are one line of plain characters each, and no quote ends early', {
    of: fc.record({
      ...{
        client: hostileText(words, 200),
        method: hostileText(words, 50),
        host: fc.string(),
        path: hostileText(words, 500),
      },
      ...{ referer: hostileText(words, 200), agent: hostileText([...words, '" "', '\\'], 200) },
    }),
    holds: given => {
      const line = {
        ...{ at: '2026-01-01T00:00:00.000Z', protocol: 'HTTP/1.1', status: 200, bytesIn: 0, bytesOut: 1 },
        ...{ requestId: 'x', ms: { queue: 0, wake: 0, connect: 0, firstByte: 0, total: 0 } },
        ...given,
      };
      expect(combined(line)).toMatch(
        /^[\x20-\x7e]*- - \[01\/Jan\/2026:00:00:00 \+0000\] "[^"]*" 200 1 "[^"]*" "[^"]*"$/,
      );
    },
  });
});

import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { readHookCall } from '../../../src/receive/hook.ts';
import { checkLinks } from '../../../src/receive/links.ts';
import { judgePush } from '../../../src/receive/push-rules.ts';
import { parseRefUpdates } from '../../../src/receive/ref-updates.ts';
import { parseTree } from '../../../src/receive/tree.ts';
import { always, hostileText, nearly, orRefused } from './property.ts';

const oid = fc.constantFrom('0'.repeat(40), 'a'.repeat(40), '1'.repeat(40));
const refName = hostileText(
  [
    'refs/heads/',
    'refs/tags/',
    'main',
    '-',
    '--upload-pack=x',
    ';x',
    '..',
    '/',
    '.lock',
    '@{',
    '~',
    ' ',
    '\0',
    '\x1b[2J',
    '\u202e',
  ],
  500,
);
const refLine = fc.oneof(
  fc.tuple(oid, oid, refName).map(words => words.join(' ')),
  hostileText(['0'.repeat(40), ' ', 'refs/heads/main'], 500),
);

describe('the lines of a push', () => {
  always('are judged or refused, and no name of a branch is an option or leads anywhere', {
    of: fc.array(refLine, { maxLength: 6 }),
    corpus: 'ref-lines',
    holds: lines => {
      const updates = orRefused(() => parseRefUpdates(lines));
      for (const { name } of updates ?? []) expect(name).not.toMatch(/^-|\.\.|^\/|[\0-\x20\x7f]/);
      if (updates) orRefused(() => judgePush(updates, 'main'));
    },
  });

  always('are read the same however the stream is cut', {
    costs: 3,
    of: fc.tuple(fc.array(refLine, { maxLength: 6 }), fc.array(fc.nat(40), { maxLength: 20 })),
    holds: async ([lines, cuts]) => {
      const plain = lines.map(line => line.replace(/[\n\0]|^\.$/g, ''));
      const text = Buffer.from(['quarantine', 'explain', ...plain, '.', ''].join('\n'));
      const channel = new PassThrough();
      const call = readHookCall(channel, 100);
      let at = 0;
      for (const cut of cuts) {
        channel.write(text.subarray(at, at + cut));
        at += cut;
      }
      channel.write(text.subarray(at));
      const read = await call;
      expect(read?.count).toBe(plain.length);
      expect(read?.quarantine).toBe('quarantine');
    },
  });
});

describe('a tree', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter(text => !/[\0/]/.test(text));
  const entry = fc.tuple(
    fc.constantFrom('100644', '100755', '120000', '40000', '160000', '100600', '777'),
    name,
    oid,
  );
  const bytesOf = (entries: readonly [string, string, string][]) =>
    Buffer.concat(
      entries.flatMap(([mode, text, id]) => [Buffer.from(`${mode} ${text}\0`), Buffer.from(id, 'hex')]),
    );

  always('gives the names that it holds, or is refused', {
    of: fc.array(entry, { maxLength: 8 }),
    holds: entries => {
      const read = orRefused(() => parseTree(bytesOf(entries)));
      if (read)
        expect(read.map(each => [each.name, each.oid])).toEqual(entries.map(([, text, id]) => [text, id]));
    },
  });

  always('that is damaged is refused, or holds names that are names', {
    of: fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
      nearly(
        bytesOf([
          ['100644', 'a.txt', 'a'.repeat(40)],
          ['40000', 'dir', '1'.repeat(40)],
          ['120000', 'link', 'a'.repeat(40)],
        ]),
      ),
    ),
    holds: bytes => {
      for (const { name: text } of orRefused(() => parseTree(bytes)) ?? []) {
        expect(text).not.toMatch(/^\.{0,2}$|[/\0]/);
        expect(text.toLowerCase()).not.toBe('.git');
      }
    },
  });
});

describe('symbolic links', () => {
  const part = fc.constantFrom('a', 'b', 'c', 'd', '..', '.', '');
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 })
    .map(parts => parts.join('/'));
  const target = fc
    .tuple(fc.constantFrom('', '', '', '/'), fc.array(part, { maxLength: 6 }))
    .map(([root, parts]) => root + parts.join('/'));

  always('never lead out of a repository that is taken', {
    of: fc.array(fc.tuple(path, target), { maxLength: 8 }),
    corpus: 'links',
    holds: pairs => {
      const links = new Map(pairs);
      const taken = orRefused(() => {
        checkLinks(links);
        return true;
      });
      if (taken) for (const link of links.keys()) expect(leadsOut(link, links), link).toBe(false);
    },
  });
});

/** As the kernel follows a path: by the letters of the book, and slowly. Above the top is out. */
function leadsOut(path: string, links: ReadonlyMap<string, string>): boolean {
  let todo = path.split('/');
  let at: string[] = [];
  for (let steps = 0; todo.length > 0 && steps < 300; steps += 1) {
    const [part = '', ...rest] = todo;
    todo = rest;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length === 0) return true;
      at = at.slice(0, -1);
      continue;
    }
    const next = [...at, part];
    const target = links.get(next.join('/'));
    if (target === undefined) at = next;
    else if (target.startsWith('/')) return true;
    else todo = [...target.split('/'), ...todo];
  }
  return false;
}

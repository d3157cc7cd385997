import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { parseAppJson } from '../../../src/build/app-json.ts';
import { parseRelease } from '../../../src/build/classic/release-yaml.ts';
import { scanDockerfile } from '../../../src/build/dockerfile/scan.ts';
import { parseJsonc } from '../../../src/build/jsonc.ts';
import { createMatcher } from '../../../src/build/lifecycle/patterns.ts';
import { readProject } from '../../../src/build/lifecycle/project-toml.ts';
import { createMask } from '../../../src/build/mask.ts';
import { parseProcfile } from '../../../src/build/procfile.ts';
import { parseEnvFile } from '../../../src/domain/env-file.ts';
import { createBench } from '../../commands/support.ts';
import { always, hostileText, orRefused } from './property.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-fuzz-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ends = ['\n', '\r\n', '\r', '\ufeff', ' ', '\t', '#', '\0', '\u2028', 'x'];
const type = fc.stringMatching(/^[a-z]([a-z0-9-]{0,9}[a-z0-9])?$/);
const command = fc.string({ unit: 'grapheme-ascii', maxLength: 30 }).map(text => `run ${text}`.trim());

describe('a Procfile', () => {
  always('is read or refused', {
    of: hostileText([...ends, 'web', 'worker', 'web.1', ':', ': node x', '$PORT', '__proto__', '-']),
    corpus: 'procfile',
    holds: text => {
      const read = orRefused(() => parseProcfile(text));
      for (const [name, line] of read?.processes ?? []) {
        expect(name).toMatch(/^[A-Za-z0-9][\w.-]*$/);
        expect(line.trim()).not.toBe('');
      }
    },
  });

  always('gives the commands that were written', {
    of: fc.dictionary(type, command, { minKeys: 1, maxKeys: 20, noNullPrototype: true }),
    holds: wanted => {
      const lines = Object.entries(wanted).map(([name, line]) => `${name}: ${line}`);
      expect(Object.fromEntries(parseProcfile(lines.join('\n')).processes)).toEqual(wanted);
    },
  });
});

describe('an app.json', () => {
  const keys = [
    'healthchecks',
    'formation',
    'cron',
    'env',
    'scripts',
    'web',
    'quantity',
    'schedule',
    'command',
  ].concat(
    [
      'generator',
      'secret',
      'value',
      'required',
      'dokku',
      'predeploy',
      'postdeploy',
      'type',
      'path',
      'timeout',
      'wait',
    ],
    [
      'startup',
      'uptime',
      'content',
      'name',
      'httpHeaders',
      'port',
      '__proto__',
      'constructor',
      'autoscaling',
      'min',
      'max',
    ],
  );
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1e9,
      1e300,
      0.5,
      '',
      'x',
      '* * * * *',
      '@daily',
      '* * * * * *',
      '1;rm',
      'a|b',
      [],
    ),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 6, depthSize: 'medium' },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 6, noNullPrototype: true }),
    ),
  }));

  always('of any JSON is read or refused', {
    of: value,
    corpus: 'app-json',
    holds: document => void orRefused(() => parseAppJson(JSON.stringify(document))),
  });

  always('that is no JSON is refused', {
    of: hostileText([
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '//',
      '/*',
      '*/',
      '\\u',
      '\\',
      'null',
      '-',
      '1',
      'e',
      ...ends,
    ]),
    corpus: 'jsonc',
    holds: text => void orRefused(() => parseAppJson(text)),
  });

  always('has JSON that is read as JSON.parse does', {
    of: fc.jsonValue(),
    holds: document => {
      const text = JSON.stringify(document, undefined, 2);
      expect(parseJsonc(text)).toEqual(JSON.parse(text));
    },
  });
});

describe('other files of an app', () => {
  always('such as project.toml are read or refused', {
    costs: 3,
    of: hostileText([
      ...[
        '[io.buildpacks]',
        '[build]',
        '[[io.buildpacks.group]]',
        '[_]',
        'id',
        'uri',
        'version',
        'include',
        'exclude',
        'env',
      ],
      ...[
        '=',
        '"',
        "'",
        '"""',
        "'''",
        '[',
        ']',
        '{',
        '}',
        '.',
        ',',
        '\\u',
        'true',
        '1979-05-27',
        '0x',
        'inf',
        '__proto__',
        ...ends,
      ],
    ]),
    corpus: 'toml',
    holds: text => {
      writeFileSync(join(dir, 'project.toml'), text);
      orRefused(() => readProject(dir));
    },
  });

  always('such as a Dockerfile are read or refused', {
    of: hostileText([
      ...[
        'FROM ',
        'node:20',
        'scratch',
        ' AS ',
        'a',
        'RUN ',
        '--mount=',
        'type=bind,from=',
        '--network=host',
        'COPY ',
        '--from=',
      ],
      ...[
        'ADD ',
        'http://169.254.169.254/',
        'ENV ',
        'ARG ',
        '${',
        '}',
        ':-',
        '<<EOF',
        'EOF',
        '\\\n',
        '\n',
        '# syntax=',
        '# escape=`',
      ],
      ...['["a"]', 'ONBUILD ', 'SHELL ', 'USER ', 'HEALTHCHECK ', 'CMD ', ' ', '"', "'", ...ends],
    ]),
    corpus: 'dockerfile',
    holds: text => void orRefused(() => scanDockerfile(text)),
  });

  always('such as the YAML of a classic buildpack are read or refused', {
    of: hostileText([
      ...[
        '---\n',
        'addons:',
        'config_vars:',
        'default_process_types:',
        '  web: ',
        '&a',
        '*a',
        '<<:',
        '!!python/object',
        '|',
        '>',
        '- ',
      ],
      ...['"', "'", '{', '}', '[', ']', '#', '%', '@', '  ', ...ends],
    ]),
    corpus: 'yaml',
    holds: text => void orRefused(() => parseRelease(text)),
  });

  always('such as lists of patterns never hold up', {
    of: fc.tuple(
      fc.array(hostileText(['*', '**', '/', '?', '[', ']', '!', 'a', '\\', '#', '[a-z]', '{', '}'], 300), {
        maxLength: 5,
      }),
      hostileText(['a', '/', 'b', '.', '*'], 2000),
    ),
    corpus: 'patterns',
    holds: ([patterns, path]) => {
      const matches = orRefused(() => createMatcher(patterns));
      if (matches) orRefused(() => matches({ path, folder: false }));
    },
  });
});

describe('an env file', () => {
  const pairs = ['A', '=', 'export ', '"', "'", '\\', '$', '`', '#', ...ends];

  always('is read or refused, and no value is shown', {
    of: hostileText(pairs),
    corpus: 'env-file',
    holds: text => void orRefused(() => parseEnvFile(text)),
  });

  const bench = createBench();
  beforeAll(() => bench.run('apps:create', 'blog'));
  always('that was written here is read as it was', {
    costs: 2,
    of: fc.dictionary(
      fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
      fc
        .oneof(hostileText(pairs, 500), fc.string({ unit: 'grapheme' }))
        .map(text => text.replace(/[\0\ud800-\udfff]/g, '')),
      { minKeys: 1, maxKeys: 5, noNullPrototype: true },
    ),
    holds: async values => {
      const app = bench.store.apps.get('blog' as never);
      bench.store.config.replace(app, new Map(Object.entries(values)) as never);
      const { stdout } = await bench.run('config:export', '--format', 'envfile', 'blog');
      const sorted = (each: Iterable<readonly [string, string]>) =>
        [...each].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(sorted(parseEnvFile(stdout))).toEqual(sorted(Object.entries(values)));
    },
  });
});

describe('output of a build', () => {
  always('never shows a secret, wherever it stands', {
    of: fc.tuple(
      fc.array(fc.string({ unit: 'grapheme', minLength: 6, maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.oneof(fc.nat(3), fc.string({ maxLength: 20 })), { maxLength: 8 }),
    ),
    holds: ([secrets, words]) => {
      const mask = createMask(Object.fromEntries(secrets.map((secret, at) => [`K${at}`, secret])));
      const line = words.map(word => (typeof word === 'number' ? (secrets[word] ?? '') : word)).join('');
      // What stands in its place may be taken for one.
      const shown = mask.text(line).split('[masked]');
      for (const secret of secrets) for (const part of shown) expect(part).not.toContain(secret);
    },
  });
});

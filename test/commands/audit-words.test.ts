import { describe, expect, it } from 'vitest';
import { auditWords } from '../../src/commands/audit-words.ts';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { givenBy } from '../../src/commands/parse.ts';
import { flagList } from '../../src/commands/usage.ts';
import { builtInCommands } from '../../src/plugin/built-in-commands.ts';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);

const words = (...line: string[]): string => {
  const { name = '', rest, globals } = readInvocation(line);
  const command = registry.find(name);
  return auditWords(command, givenBy(command, readWords(command, rest, globals)));
};

describe('what the audit keeps of a command', () => {
  it.each([
    [['ps:scale', 'blog', 'web=2', 'worker=0'], 'web=2 worker=0'],
    [['config:set', 'blog', '--no-restart', 'A=sesame', 'B=x=sesame'], 'A=*** B=*** --no-restart'],
    [['config:set', 'blog', 'sesame'], '***'],
    [['config:set', 'blog', 'bad key=sesame'], '"bad key"=***'],
    [['git:auth', 'git.example.org', 'ann', 'sesame'], 'git.example.org ann ***'],
    [['registry:login', '--global', 'docker.io', 'ann', 'sesame'], 'docker.io ann ***'],
    [['docker-options:add', 'blog', 'build', '--build-arg', 'A=sesame'], 'build --build-arg A=***'],
    [['docker-options:add', 'blog', 'deploy', '-v', 'up:/data'], 'deploy -v up:/data'],
    [['run', 'blog', 'psql', 'postgres://ann:sesame@db'], 'psql ***'],
    [['run', 'blog', 'postgres://ann:sesame@db?x=sesame'], 'postgres://***@db?***'],
    [['git:sync', 'blog', 'https://ann:sesame@example.org/blog.git'], 'https://***@example.org/blog.git'],
    [['git:from-archive', 'blog', 'https://example.org/a.tgz?token=sesame'], 'https://example.org/a.tgz?***'],
    [['git:from-archive', 'blog', 'https://example.org/a.tgz#sesame'], 'https://example.org/a.tgz?***'],
    [['webhooks:set', 'blog', 'secret', 'sesame'], 'secret ***'],
    [['certs:add', 'blog', 'a.crt', 'sesame'], 'a.crt ***'],
    [['domains:add', 'blog', 'a\nb\u001b[31m'], '"a\\u{a}b\\u{1b}[31m"'],
    [['apps:create', 'blog'], ''],
    [['apps:rename', 'blog', 'journal'], 'journal'],
  ])('of %j is %j', (line, expected) => {
    expect(words(...line)).toBe(expected);
    expect(expected).not.toContain('sesame');
  });

  it('is the same of JSON', () => {
    const told = (name: string, body: Record<string, unknown>) => auditWords(registry.find(name), body);
    expect(told('config:set', { app: 'blog', pairs: { A: 'sesame' } })).toBe('A=***');
    expect(told('config:set', { app: 'blog', pairs: 'sesame' })).toBe('***');
    expect(told('ps:scale', { app: 'blog', counts: { web: 2 } })).toBe('web=2');
    expect(told('ps:scale', { app: 'blog', counts: [['web', 2], null, { a: 1 }] })).toMatch(/web/);
  });

  it('is bounded, word by word and in all', () => {
    expect(words('domains:add', 'blog', 'x'.repeat(1000)).length).toBeLessThanOrEqual(110);
    const many = Array.from({ length: 500 }, (_, at) => `host-${at}.example.org`);
    expect(words('domains:add', 'blog', ...many).length).toBeLessThanOrEqual(501);
  });
});

/**
 * Every argument of a command that is audited: what of it is left out, or that it holds no secret. A new kind of argument needs its
 * word here: ask what people put there.
 */
describe('every argument of what is audited', () => {
  const secret = {
    'KEY=VALUE': 'values',
    'KEY=VALUE,...': 'values',
    command: 'rest',
    option: 'assigned',
    password: 'all',
    'password on standard input': 'all',
  } as const;
  /** Of one command alone. */
  const some = {
    'backup:set setting=value': 'assigned',
    'certs:add key': 'all',
    'certs:update key': 'all',
    'webhooks:set value': 'all',
  } as const;
  const harmless = [
    ...['--global', 'KEY', 'SHA256:...', 'address', 'app', 'app,app', 'app|--global', 'backup', 'buildpack'],
    'builds',
    ...['code', 'cpus|clear', 'crt', 'depth', 'domain', 'duration', 'email', 'file|-', 'fingerprint'],
    ...[
      'folder or package',
      'format',
      'host',
      'disk|clear',
      'id',
      'image',
      'index',
      'isolation',
      'key',
      'memory|clear',
    ],
    'mount',
    ...[
      'name',
      'name,name',
      'names',
      'network',
      'number',
      'owner',
      'page',
      'phase(s)',
      'place',
      'plugin',
      'process',
    ],
    ...[
      'process,...',
      'process=count',
      'processes|clear',
      'property',
      'ref',
      'repository',
      'role',
      'schedule|off',
    ],
    ...['scheme:host:container', 'server', 'setting=value', 'size', 'stack', 'suite', 'tar|tar.gz|zip'],
    ...['url|-', 'user', 'user|me', 'value', 'version'],
  ];
  const audited = registry.list().filter(({ effect, acts }) => effect === 'write' || acts);

  it.each(audited.map(command => [command.name, command] as const))('of %s', (name, command) => {
    const kinds = [...Object.values(command.args), ...flagList(command).map(({ kind }) => kind)];
    for (const { word, secret: left } of kinds.filter(({ toggle }) => !toggle)) {
      const one = `${name} ${word}`;
      const expected = one in some ? some[one as keyof typeof some] : secret[word as keyof typeof secret];
      expect([one, left]).toEqual([one, expected]);
      if (expected === undefined) expect(harmless).toContain(word);
    }
  });
});

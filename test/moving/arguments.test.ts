import { describe, expect, it } from 'vitest';
import { readImportArguments } from '../../src/moving/arguments.ts';

const read = (...words: string[]) => readImportArguments(['import', ...words], {});

describe('the words of import', () => {
  it.each([
    ['dokku.example.org', { user: 'dokku', host: 'dokku.example.org', port: undefined }],
    ['root@192.0.2.7:2222', { user: 'root', host: '192.0.2.7', port: 2222 }],
    ['ssh://dokku@[2001:db8::1]:22/', { user: 'dokku', host: '2001:db8::1', port: 22 }],
  ])('name a dokku host as %s', (host, address) => {
    expect(read('dokku', host, '--app=blog', '--app', 'shop', '--apply')).toEqual({
      data: '/var/lib/wherry',
      isLocal: false,
      apply: true,
      source: {
        ...{ kind: 'dokku', address, sshConfig: undefined },
        apps: ['blog', 'shop'],
      },
    });
  });

  it('name apps at Heroku', () => {
    expect(read('heroku', 'blog', 'shop', '--data', '/srv/w')).toEqual({
      data: '/srv/w',
      isLocal: true,
      apply: false,
      source: { kind: 'heroku', apps: ['blog', 'shop'], folder: undefined },
    });
  });

  it.each([
    [['caprover', 'x'], 'usage'],
    [['dokku'], 'usage'],
    [['dokku', 'a', 'b'], 'usage'],
    [['dokku', '-oProxyCommand=id'], 'usage'],
    [['dokku', 'a b'], 'invalid'],
    [['dokku', 'a;id'], 'invalid'],
    [['dokku', '-x@host'], 'usage'],
    [['dokku', 'host:99999'], 'invalid'],
    [['dokku', 'host', '--app'], 'usage'],
    [['dokku', 'host', '--app', '../x'], 'invalid'],
    [['dokku', 'host', '--source', '.'], 'usage'],
    [['heroku'], 'usage'],
    [['heroku', 'Blog'], 'invalid'],
    [['heroku', 'a', 'b', '--source', '.'], 'usage'],
    [['heroku', 'a', '--ssh-config', 'x'], 'usage'],
  ])('%j are refused as %s', (words, code) => {
    expect(() => read(...words)).toThrow(expect.objectContaining({ code }));
  });
});

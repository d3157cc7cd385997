import { describe, expect, it } from 'vitest';
import { parseHost, parseRemote } from '../../src/cli/remote.ts';

describe('a host elsewhere', () => {
  it.each([
    ['apps.example.org', { user: 'wherry', host: 'apps.example.org', port: 2222 }],
    ['ann@apps:22', { user: 'ann', host: 'apps', port: 22 }],
    ['ssh://ann@apps.example.org:2200/', { user: 'ann', host: 'apps.example.org', port: 2200 }],
    ['[2001:db8::1]:2200', { user: 'wherry', host: '2001:db8::1', port: 2200 }],
    ['my_alias', { user: 'wherry', host: 'my_alias', port: 2222 }],
  ])('is read from %s', (text, remote) => {
    expect(parseHost(text)).toEqual(remote);
  });

  it.each([
    '-oProxyCommand=x',
    'ann@-x',
    '-x@host',
    'host:0',
    'host:70000',
    'a b',
    'host/path',
    'https://host',
    'a\nb',
    '',
  ])('is not %j', text => {
    expect(parseHost(text)).toBeUndefined();
  });
});

describe('a git remote', () => {
  const place = { user: 'wherry', host: 'apps.example.org' };
  it.each([
    ['ssh://wherry@apps.example.org:2222/blog', { ...place, port: 2222 }],
    ['ssh://apps.example.org/~/blog.git', place],
    ['git+ssh://wherry@apps.example.org:2222/blog/', { ...place, port: 2222 }],
    ['wherry@apps.example.org:blog', place],
    ['apps.example.org:/blog.git', place],
    ['dokku@apps.example.org:blog', { ...place, user: 'dokku' }],
  ])('names host and app: %s', (text, remote) => {
    expect(parseRemote(text)).toEqual({ remote, app: 'blog' });
  });

  it.each([
    ...[
      'https://example.org/blog',
      '/srv/git/blog',
      '../blog',
      'ssh://-oProxyCommand=x/blog',
      '-x@host:blog',
    ],
    ...['host:group/blog', 'host:--app', 'ssh://host', 'ssh://host:99999/blog', "host:blog'x", 'host:Blog'],
  ])('of %s names none', text => {
    expect(parseRemote(text)).toBeUndefined();
  });
});

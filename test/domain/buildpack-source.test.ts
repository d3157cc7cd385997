import { describe, expect, it } from 'vitest';
import { parseBuildpackSource } from '../../src/domain/buildpack-source.ts';

const image = (name: string) => ({ kind: 'image', text: `docker://${name}`, ref: { text: name } });

describe('a buildpack source', () => {
  it.each([
    ['wherry/nodejs', { kind: 'built-in', id: 'wherry/nodejs' }],
    ['heroku/nodejs', { kind: 'git', url: 'https://github.com/heroku/heroku-buildpack-nodejs.git' }],
    ['https://example.org/a/b.git#v1.2', { kind: 'git', url: 'https://example.org/a/b.git', ref: 'v1.2' }],
    ['https://example.org/a/b', { kind: 'git', url: 'https://example.org/a/b' }],
    ['https://example.org/a/b#feature/x', { kind: 'git', url: 'https://example.org/a/b', ref: 'feature/x' }],
    ['https://example.org/a.tgz', { kind: 'archive', url: 'https://example.org/a.tgz' }],
    ['https://example.org/a.TAR.GZ?x=1', { kind: 'archive', url: 'https://example.org/a.TAR.GZ?x=1' }],
    [
      `https://example.org/a.tar#sha256=${'Ab'.repeat(32)}`,
      { kind: 'archive', url: 'https://example.org/a.tar', sha256: 'ab'.repeat(32) },
    ],
    ['docker://docker.io/heroku/buildpack-nodejs:3', image('docker.io/heroku/buildpack-nodejs:3')],
    ['docker://team/pack', image('docker.io/team/pack:latest')],
    ['docker:///team/pack', image('docker.io/team/pack:latest')],
    ['docker.io/team/pack:1.2', image('docker.io/team/pack:1.2')],
    ['registry.example.org:5000/pack:1', image('registry.example.org:5000/pack:1')],
    ['localhost:5000/pack', image('localhost:5000/pack:latest')],
    [`ghcr.io/a/pack@sha256:${'ab'.repeat(32)}`, image(`ghcr.io/a/pack@sha256:${'ab'.repeat(32)}`)],
    ['/srv/buildpacks/mine', { kind: 'folder', path: '/srv/buildpacks/mine' }],
  ])('H8 %s is read', (text, expected) => {
    expect(parseBuildpackSource(text)).toMatchObject(expected);
  });

  it.each([
    [''],
    ['file:///etc/passwd'],
    ['ext::sh -c id'],
    ['ext::id'],
    ['git@example.org:a/b.git'],
    ['ssh://169.254.169.254/a/b'],
    ['git://example.org/a/b'],
    ['ftp://example.org/a.tgz'],
    ['--upload-pack=touch /tmp/x'],
    ['-oProxyCommand=id'],
    ['https://example.org/a/b#--upload-pack=x'],
    ['https://example.org/a/b#a..b'],
    ['https://example.org/a/b#'],
    ['https://user:secret@example.org/a/b'],
    ['https://example.org/'],
    ['https://example.org/a.tgz#main'],
    ['/srv/../etc'],
    ['../buildpack'],
    ['nodejs'],
    ['docker://'],
    ['docker://A/b:c:d'],
    ['docker://user:secret@example.org/a/b'],
    ['github.com/heroku/heroku-buildpack-nodejs'],
    ['example.org/a/b.git'],
    ['urn:cnb:registry:heroku/nodejs@1.0.0'],
    ['urn:cnb:builder:heroku/nodejs'],
    ['from=builder'],
    ['https://exa\nmple.org/a/b'],
    [`https://example.org/${'a'.repeat(3000)}`],
  ])('H8 %j is refused', text => {
    expect(() => parseBuildpackSource(text)).toThrow(
      /Invalid buildpack specified|Please specify a buildpack/,
    );
  });

  it('tells how a buildpack of the registry of buildpacks is named instead', () => {
    expect(() => parseBuildpackSource('urn:cnb:registry:heroku/nodejs')).toThrow(
      /which is not asked\. Give the image that it lists, as docker:\/\/docker\.io\/OWNER\/NAME:VERSION/,
    );
  });

  it('never shows a password', () => {
    expect(() => parseBuildpackSource('https://user:secret@example.org/a/b')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

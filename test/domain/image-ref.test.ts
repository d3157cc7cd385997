import { describe, expect, it } from 'vitest';
import { parseImageRef, parseRegistry } from '../../src/domain/image-ref.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['me/boat', 'docker.io/me/boat:latest'],
    ['docker.io/alpine:3', 'docker.io/library/alpine:3'],
    ['docker.io/library/alpine:3', 'docker.io/library/alpine:3'],
    ['index.docker.io/me/boat', 'docker.io/me/boat:latest'],
    ['localhost/boat', 'localhost/boat:latest'],
    ['Host.example.org:5000/a/b-c__d/e.f:V1_2', 'host.example.org:5000/a/b-c__d/e.f:V1_2'],
    [`quay.example.org/x@${digest}`, `quay.example.org/x@${digest}`],
    [`host:5000/name:1.2@${digest}`, `host:5000/name:1.2@${digest}`],
  ])('%s is %s', (given, text) => {
    expect(parseImageRef(given).text).toBe(text);
  });

  it('has its parts, and no tag where only a digest is named', () => {
    expect(parseImageRef(`host:5000/team/boat@${digest}`)).toEqual({
      text: `host:5000/team/boat@${digest}`,
      registry: 'host:5000',
      repository: 'team/boat',
      digest,
    });
  });

  it.each([
    '',
    ':tag',
    'Boat',
    'a//b',
    'a/../b',
    '../b',
    '-x',
    'a b',
    'boat:',
    'boat:a b',
    'boat@',
    'boat@sha256:12',
    `boat@md5:${'a'.repeat(32)}`,
    'https://example.org/boat',
    'host..org/boat',
    'host:x/boat',
    'user:pw@host.org/boat',
    '[::1]:5000/boat',
    `${'a'.repeat(256)}`,
    'boat\n:1',
  ])('is refused: %j', given => {
    expect(() => parseImageRef(given)).toThrow(/Give one such as "nginx:1.27"/);
  });
});

describe('the name of a registry', () => {
  it.each([
    ['docker.io', 'docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['Registry.example.org:5000', 'registry.example.org:5000'],
  ])('%s is %s', (given, host) => {
    expect(parseRegistry(given)).toBe(host);
  });
  it.each(['', 'a/b', '-host', 'host name'])('is refused: %j', given => {
    expect(() => parseRegistry(given)).toThrow(/names no host/);
  });
});

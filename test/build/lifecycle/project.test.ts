import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { walk } from '../../../src/build/layers/walk.ts';
import { createMatcher } from '../../../src/build/lifecycle/patterns.ts';
import { leaveOut, surround } from '../../../src/build/lifecycle/project.ts';
import { readProject } from '../../../src/build/lifecycle/project-toml.ts';
import { aBuildpack } from './support/a-buildpack.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-project-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const read = (toml: string) => {
  writeFileSync(join(dir, 'project.toml'), toml);
  return readProject(dir);
};
const app = (...files: string[]) => {
  for (const file of files) {
    mkdirSync(join(dir, dirname(file)), { recursive: true });
    writeFileSync(join(dir, file), '');
  }
};
const files = () => [...walk(dir)].filter(({ stats }) => !stats.isDirectory()).map(({ path }) => path);

describe('project.toml', () => {
  it('S5 is read in its current form', () => {
    const project = read(`
      [_]
      schema-version = "0.2"
      [io.buildpacks]
      builder = "x"
      exclude = ["*.md"]
      [[io.buildpacks.group]]
      id = "a"
      version = "1.0.0"
      [[io.buildpacks.group]]
      id = "me/inline"
      [io.buildpacks.group.script]
      api = "0.10"
      inline = "echo hi"
      [[io.buildpacks.pre.group]]
      id = "before"
      [[io.buildpacks.post.group]]
      id = "after"
      [[io.buildpacks.build.env]]
      name = "A"
      value = "1"
      [[io.buildpacks.env.build]]
      name = "B"
      value = "2"`);
    expect(project).toMatchObject({ exclude: ['*.md'], include: [], env: { A: '1', B: '2' } });
    expect(project?.group).toMatchObject([
      { id: 'a', version: '1.0.0' },
      { id: 'me/inline', script: { api: '0.10', shell: '/bin/sh', inline: 'echo hi' } },
    ]);
    expect([project?.pre[0]?.id, project?.post[0]?.id]).toEqual(['before', 'after']);
  });

  it('S5 is read in its first form', () => {
    const project = read(`
      [project]
      id = "x"
      [build]
      exclude = ["/README.md"]
      [[build.buildpacks]]
      id = "a"
      [[build.env]]
      name = "A"
      value = "1"`);
    expect(project).toMatchObject({ exclude: ['/README.md'], env: { A: '1' }, group: [{ id: 'a' }] });
  });

  it('S5 may be absent, or have nothing for builds', () => {
    expect(readProject(dir)).toBeUndefined();
    expect(read('[project]\nid = "x"\n')).toBeUndefined();
  });

  it.each([
    ['[io.buildpacks]\ninclude = ["a"]\nexclude = ["b"]\n', 'both include and exclude'],
    ['[[build.buildpacks]]\nversion = "1"\n', 'without id'],
    ['= 1', 'project.toml is not TOML at line 1'],
    ['[[io.buildpacks.group]]\nid = "a"\n[io.buildpacks.group.script]\napi = "0.10"\n', 'inline'],
    [
      '[[io.buildpacks.group]]\nid = "a"\n[io.buildpacks.group.script]\napi = "0.10"\nshell = "/bin/sh\\nx"\ninline = ""\n',
      'is not the path of a shell',
    ],
  ])('S5 is refused with %j', (toml, message) => {
    expect(() => read(toml)).toThrow(message);
  });

  it('S5 leaves out what exclude names', () => {
    app('README.md', 'docs/a.md', 'docs/keep.md', 'src/a.js', 'tmp/x/y', 'src/tmp');
    leaveOut(dir, { include: [], exclude: ['*.md', '!keep.md', 'tmp/'] });
    expect(files()).toEqual(['docs/keep.md', 'src/a.js', 'src/tmp']);
  });

  it('S5 keeps only what include names', () => {
    app('README.md', 'src/a.js', 'src/deep/b.css', 'other/c.js');
    leaveOut(dir, { include: ['/src', '*.md'], exclude: [] });
    expect(files()).toEqual(['README.md', 'src/a.js', 'src/deep/b.css']);
  });

  it('S5 puts buildpacks around every group that does not have them', () => {
    const entry = (id: string) => ({ buildpack: aBuildpack({ id }), optional: false });
    const order = surround({
      order: [[entry('a')], [entry('pre'), entry('b')]],
      pre: [entry('pre')],
      post: [entry('post')],
    });
    expect(order.map(group => group.map(({ buildpack }) => buildpack.id).join(' '))).toEqual([
      'pre a post',
      'pre b post',
    ]);
  });
});

describe('patterns as in .gitignore', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'x/a', true],
    ['/a', 'x/a', false],
    ['x/a', 'x/a', true],
    ['x/a', 'y/x/a', false],
    ['**/x/a', 'y/x/a', true],
    ['x/**', 'x/y/z', true],
    ['x/**', 'x', false],
    ['x/**/z', 'x/z', true],
    ['x/**/z', 'x/1/2/z', true],
    ['*.log', 'deep/er/a.log', true],
    ['[!a]b', 'cb', true],
    ['[!a]b', 'ab', false],
    ['\\#a', '#a', true],
    ['#a', '#a', false],
    ['a/', 'a', false],
    ['', 'a', false],
    ['**', 'a/b', true],
    ['a/**/b/**/c', 'a/b/x/b/c', true],
    ['a/**/b/**/c', 'a/x/c', false],
  ])('S5 %j on %j: %s', (pattern, path, matches) => {
    expect(createMatcher([pattern])({ path, folder: false })).toBe(matches);
  });

  it('S5 never take forever, whatever somebody writes', () => {
    const begun = performance.now();
    const matches = createMatcher([`${'**/a/'.repeat(200)}b`]);
    expect(matches({ path: Array(400).fill('a').join('/'), folder: false })).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

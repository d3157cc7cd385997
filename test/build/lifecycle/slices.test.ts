import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { walk } from '../../../src/build/layers/walk.ts';
import { slice } from '../../../src/build/lifecycle/slices.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-slices-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const app = (...files: string[]) => {
  for (const file of files) {
    mkdirSync(join(root, 'app', dirname(file)), { recursive: true });
    writeFileSync(join(root, 'app', file), file);
  }
};
const files = (folder: string) =>
  [...walk(join(root, folder))].filter(({ stats }) => !stats.isDirectory()).map(({ path }) => path);
const cut = (name: string, ...patterns: string[]) => {
  slice(join(root, 'app'), join(root, name), patterns);
  return files(name);
};

describe('slices', () => {
  it('E4 take what matches, whole folders with it, and leave the rest to the next', () => {
    app('a.js', 'dir/b.js', 'static/img/x.png', 'static/y.css', 'z');
    expect(cut('one', '*.js', 'static/img')).toEqual(['a.js', 'static/img/x.png']);
    expect(cut('two', 'static', '*.js')).toEqual(['static/y.css']);
    expect(files('app')).toEqual(['dir/b.js', 'z']);
  });

  it('E4 may be empty and name what is not there', () => {
    app('a');
    expect(cut('one', 'nothing', 'b/*')).toEqual([]);
    expect(files('app')).toEqual(['a']);
  });

  it('E4 see absolute paths of the app, pass over what is outside, and follow no links', () => {
    app('in/a', 'b', 'c');
    mkdirSync(join(root, 'outside'));
    writeFileSync(join(root, 'outside/secret'), '');
    symlinkSync('../outside', join(root, 'app/link'));
    expect(cut('one', '/workspace/in/a', './b', '../outside/*', '/etc/*', 'link/*')).toEqual(['b', 'in/a']);
    expect(files('outside')).toEqual(['secret']);
    expect(cut('two', 'link')).toEqual(['link']);
  });

  it('E4 take everything by "."', () => {
    app('a', 'b/c');
    expect(cut('one', '.')).toEqual(['a', 'b/c']);
  });

  it('E4 keep the modes of the folders that they are in', () => {
    app('private/a', 'private/b');
    statSync(join(root, 'app/private'));
    rmSync(join(root, 'app/private'), { recursive: true });
    mkdirSync(join(root, 'app/private'), { mode: 0o700 });
    writeFileSync(join(root, 'app/private/a'), '');
    cut('one', 'private/a');
    expect(statSync(join(root, 'one/private')).mode & 0o777).toBe(0o700);
  });
});

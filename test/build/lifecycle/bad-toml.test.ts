import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBuildpack } from '../../../src/build/lifecycle/buildpack.ts';
import { readLaunch } from '../../../src/build/lifecycle/launch.ts';
import { readLayerTomls } from '../../../src/build/lifecycle/layer-folders.ts';
import { planSchema } from '../../../src/build/lifecycle/plan.ts';
import { readProject } from '../../../src/build/lifecycle/project-toml.ts';
import { readToml } from '../../../src/build/toml.ts';
import { aBuildpack } from './support/a-buildpack.ts';

// Every place where TOML of others is read in this process; those that a build's own files go through are in bad-toml.system.test.ts.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-toml-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string | Buffer) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path);
};
const digest = `sha256:${'0'.repeat(64)}` as const;
const view = () => ({ upper: root, restored: join(root, 'none'), restoredDir: () => undefined });

/** How each kind of file is read, and by what name people are told of it. */
const readers: Record<string, { name: string; read: (toml: string | Buffer) => unknown }> = {
  'buildpack.toml': {
    name: 'buildpack.toml in it',
    read: toml => {
      put('buildpack.toml', toml);
      for (const name of ['bin/detect', 'bin/build']) chmodSync(put(name, ''), 0o755);
      return describeBuildpack(root, { name: 'it', digest });
    },
  },
  'build plan': {
    name: 'build plan of a',
    read: toml => readToml({ file: put('plan', toml), name: 'build plan of a', schema: planSchema }),
  },
  'layer.toml': {
    name: 'l.toml of a',
    read: toml => {
      put('a/l.toml', toml);
      return readLayerTomls(view(), aBuildpack());
    },
  },
  'launch.toml': {
    name: 'launch.toml of a',
    read: toml => readLaunch(put('launch.toml', toml), { id: 'a', api: '0.10' }, '/workspace'),
  },
  'project.toml': {
    name: 'project.toml',
    read: toml => {
      put('project.toml', toml);
      return readProject(root);
    },
  },
};
const messageOf = (kind: string, toml: string | Buffer): string => {
  try {
    readers[kind]?.read(toml);
  } catch (error) {
    expect(error).toMatchObject({ code: 'build-failed' });
    return (error as Error).message;
  }
  return 'was taken';
};
const head = 'api = "0.10"\n[buildpack]\nid = "a"\nversion = "1.2.3"\n';

describe('TOML that does not parse', () => {
  const broken: [string, string | Buffer, string][] = [
    ['a key without a value', '# one\nx = \n', ' at line 2, column'],
    ['a text without an end', 'x = "y\n', ' at line 1, column'],
    ['a table twice', '[x]\n[x]\n', ' at line 2, column'],
    ['a key twice', 'x = 1\nx = 2\n', ' at line 2, column'],
    ['JSON', '{"x": 1}', ' at line 1, column'],
    ['a conflict', '<<<<<<< HEAD\nx = 1\n', ' at line 1, column'],
    ['a NUL', 'x = "\0"\n', ' at line 1, column'],
    ['a number that is too large', 'x = 99999999999999999999\n', ' at line 1, column'],
    ['endless nesting', `x = ${'['.repeat(100_000)}`, ''],
  ];
  it.each(
    Object.keys(readers).flatMap(kind => broken.map(([what, toml, place]) => ({ kind, what, toml, place }))),
  )('is told with file, place and remedy: $kind with $what', ({ kind, toml, place }) => {
    const message = messageOf(kind, toml);
    expect(message.startsWith(`${readers[kind]?.name} is not TOML${place}`)).toBe(true);
    expect(message).toMatch(/\. Correct it\.$/);
  });

  it.each(Object.keys(readers))('is refused for its size: %s', kind => {
    expect(messageOf(kind, Buffer.alloc(2 ** 20 + 1, '#'))).toBe(
      `${readers[kind]?.name} is larger than 1024 KiB. Make it smaller.`,
    );
  });
});

describe('TOML that says something else than it may', () => {
  it.each([
    ['buildpack.toml', 'x = 1\n', 'api: is missing'],
    ['buildpack.toml', 'api = 0.10\n[buildpack]\nid = "a"\nversion = "1"\n', 'api: is not a text in quotes'],
    ['buildpack.toml', 'api = "0.10"\nbuildpack = 1\n', 'buildpack: is not a table'],
    ['buildpack.toml', 'api = "0.10"\n[buildpack]\nversion = "1"\n', 'buildpack.id: is missing'],
    ['buildpack.toml', `${head}clear-env = "yes"\n`, 'buildpack.clear-env: is not true or false'],
    ['buildpack.toml', `${head}[order]\ngroup = []\n`, 'order: is not a list'],
    ['buildpack.toml', `${head}[[order]]\n`, 'order[1].group: is missing'],
    [
      'buildpack.toml',
      `${head}[[order]]\n[[order.group]]\nversion = "1"\n`,
      'order[1].group[1].id: is missing',
    ],
    [
      'buildpack.toml',
      `${head}[[order]]\n[[order.group]]\nid = "b"\noptional = 1\n`,
      'order[1].group[1].optional: is not true or false',
    ],
    ['buildpack.toml', `${head}[[targets]]\nos = 1\n`, 'targets[1].os: is not a text in quotes'],
    ['buildpack.toml', `${head}[[stacks]]\nname = "x"\n`, 'stacks[1].id: is missing'],
    ['build plan', 'requires = "x"\n', 'requires: is not a list'],
    ['build plan', '[[requires]]\nmetadata = 1\n', 'requires[1].name: is missing'],
    ['build plan', '[[provides]]\nname = ""\n', 'provides[1].name: is empty'],
    [
      'build plan',
      '[[requires]]\nname = "x"\nversion = "1"\n',
      'requires[1].version: is not a key of requires',
    ],
    ['build plan', '[[or]]\n[[or.requires]]\nname = 7\n', 'or[1].requires[1].name: is not a text in quotes'],
    ['layer.toml', 'launch = true\n', 'launch: belongs into the table "types"'],
    ['layer.toml', '[types]\nlaunch = "yes"\n', 'types.launch: is not true or false'],
    ['layer.toml', 'types = true\n', 'types: is not a table'],
    ['layer.toml', 'metadata = []\n', 'metadata: is not a table'],
    ['launch.toml', '[processes]\ntype = "web"\n', 'processes: is not a list'],
    ['launch.toml', '[[processes]]\ncommand = ["x"]\n', 'processes[1].type: is missing'],
    [
      'launch.toml',
      '[[processes]]\ntype = "web"\ncommand = 1\n',
      'processes[1].command: is of the wrong kind',
    ],
    ['launch.toml', '[[processes]]\ntype = "web"\ncommand = []\n', 'processes[1].command: is empty'],
    ['launch.toml', '[[labels]]\nkey = "a"\n', 'labels[1].value: is missing'],
    ['launch.toml', '[[slices]]\npaths = "x"\n', 'slices[1].paths: is not a list'],
    ['project.toml', '[io.buildpacks]\nexclude = "x"\n', 'io.buildpacks.exclude: is not a list'],
    [
      'project.toml',
      '[[io.buildpacks.build.env]]\nname = "A"\nvalue = 1\n',
      'io.buildpacks.build.env[1].value: is not a text in quotes',
    ],
    [
      'project.toml',
      '[[io.buildpacks.group]]\nid = "a"\n[io.buildpacks.group.script]\napi = "0.10"\n',
      'io.buildpacks.group[1].script.inline: is missing',
    ],
    [
      'project.toml',
      '[[io.buildpacks.group]]\n[io.buildpacks.group.script]\napi = "0.10"\ninline = ""\nshell = "sh -c"\n',
      'io.buildpacks.group[1].script.shell: is not the path of a shell',
    ],
    ['project.toml', 'build = []\n', 'build: is not a table'],
  ])('is told with file, place and remedy: %s %j', (kind, toml, what) => {
    const message = messageOf(kind, toml);
    expect(message.startsWith(`${readers[kind]?.name} is not valid: ${what}`)).toBe(true);
    expect(message).toMatch(/\. Correct it\.$/);
  });

  it.each([
    [
      '[[processes]]\ntype = "web"\ncommand = "x"\n',
      'command must be a list. Write ["..."], one word an entry.',
    ],
    [
      '[[processes]]\ntype = "web"\ncommand = ["x"]\ndirect = true\n',
      '"direct" is not a key from API 0.9 on. Remove it.',
    ],
    [
      '[[processes]]\ntype = "a b"\ncommand = ["x"]\n',
      'Process type "a b" is not valid. Use 1 to 63 letters',
    ],
    ['[[slices]]\npaths = ["["]\n', '"[" is not a pattern'],
  ])('is told with the remedy of its rule: launch.toml %j', (toml, what) => {
    expect(messageOf('launch.toml', toml)).toContain('launch.toml of a');
    expect(messageOf('launch.toml', toml)).toContain(what);
  });

  it.each(Object.keys(readers))('may hold what nobody knows: %s', kind => {
    const known = kind === 'buildpack.toml' ? head : '';
    expect(
      messageOf(kind, `${known}[future]\nat = 2027-01-01T00:00:00Z\nratio = 0.5\n[[future.list]]\n`),
    ).toBe('was taken');
  });
});

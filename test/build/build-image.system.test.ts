import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '../../src/domain/image.ts';
import { type BuildBench, type BuildOptions, fixtures, openBench } from './support/bench.ts';
import { type Files, writeFiles } from './support/buildpack-host.ts';

let bench: BuildBench;
let source: string;

beforeAll(async () => {
  bench = await openBench();
}, 300_000);
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  source = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  return () => rmSync(source, { recursive: true, force: true });
});

const builtBy = ({ labels }: Image) => {
  const { buildpacks } = JSON.parse(labels['io.buildpacks.build.metadata'] ?? '{}');
  return buildpacks.map(({ id }: { id: string }) => id);
};
const inline = (lines: string, table: string) =>
  `${lines}\n[[${table}]]\nid = "own/hello"\n[${table}.script]\napi = "0.10"\ninline = """
printf '[[processes]]\\\\ntype = "hello"\\\\ncommand = ["true"]\\\\n' > "$CNB_LAYERS_DIR/launch.toml"
"""\n`;

const dockerfile = 'FROM wherry/stack\nCMD ["true"]\n';
const page = { 'index.html': 'page' };
const web = { Procfile: 'web: true\n' };

const apps: [name: string, files: Files, options: BuildOptions, ids: readonly string[]][] = [
  ['its language', page, {}, ['wherry/static']],
  ['a file named null', { ...page, ...web, null: '' }, {}, ['wherry/null', 'wherry/procfile']],
  [
    'buildpacks although it has a Dockerfile, where they were selected',
    { ...page, Dockerfile: dockerfile },
    { selected: 'buildpacks' },
    ['wherry/static'],
  ],
  [
    'buildpacks although it has a Dockerfile, beside a project.toml',
    { ...page, Dockerfile: dockerfile, 'project.toml': '' },
    {},
    ['wherry/static'],
  ],
  [
    'what .buildpacks names, although it has a Dockerfile',
    { ...web, Dockerfile: dockerfile, '.buildpacks': 'wherry/procfile\n' },
    {},
    ['wherry/procfile'],
  ],
  [
    'what BUILDPACK_URL names',
    { ...page, ...web },
    { config: { BUILDPACK_URL: 'wherry/procfile' } },
    ['wherry/procfile'],
  ],
  [
    'the buildpack that project.toml holds',
    { ...page, 'project.toml': inline('', 'io.buildpacks.group') },
    {},
    ['own/hello'],
  ],
  [
    'the buildpack that project.toml holds in its first form',
    { ...page, 'project.toml': inline('', 'build.buildpacks') },
    {},
    ['own/hello'],
  ],
  [
    'that one behind what fits the files that are left',
    {
      ...page,
      ...web,
      'project.toml': inline('[io.buildpacks]\nexclude = ["index.html"]', 'io.buildpacks.post.group'),
    },
    {},
    ['wherry/procfile', 'own/hello'],
  ],
];

describe('an app', () => {
  it.each(apps)('is built, and told to be built, by %s', async (_name, files, options, ids) => {
    writeFiles(source, files);
    const told = await bench.detect(source, options);
    expect(told.map(text => text.split('@')[0])).toEqual(ids);
    const { image } = await bench.build(source, options);
    expect(builtBy(image)).toEqual(ids);
  });

  it('is told to be built by its Dockerfile, where it is found or was selected', async () => {
    writeFiles(source, { ...page, Dockerfile: dockerfile });
    expect(await bench.detect(source)).toEqual(['Dockerfile']);
    writeFiles(source, { 'project.toml': '', '.buildpacks': 'wherry/procfile' });
    expect(await bench.detect(source, { selected: 'dockerfile' })).toEqual(['Dockerfile']);
  });

  it('is told what is wrong with its Dockerfile or project.toml before it is built', async () => {
    writeFiles(source, { Dockerfile: `${dockerfile}RUN --mount=type=bind,from=x,target=/x ls\n` });
    await expect(bench.detect(source)).rejects.toThrow('Dockerfile, line 3: RUN --mount=');
    writeFiles(source, { 'project.toml': '[[io.buildpacks.group]]\nid = "some/where"\n' });
    await expect(bench.detect(source)).rejects.toThrow('project.toml names buildpack some/where');
  });

  it('is refused without the Dockerfile that was selected', async () => {
    writeFiles(source, page);
    const message = 'Builder dockerfile was selected for app, and commit 00000000 has no Dockerfile.';
    await expect(bench.detect(source, { selected: 'dockerfile' })).rejects.toThrow(message);
    await expect(bench.build(source, { selected: 'dockerfile' })).rejects.toThrow(message);
  });

  it('is built by its Dockerfile where that was selected, whatever else it has', {
    timeout: 240_000,
  }, async () => {
    const options: BuildOptions = {
      selected: 'dockerfile',
      change: dir => writeFiles(dir, { ...page, 'project.toml': '', '.buildpacks': 'wherry/static\n' }),
    };
    const { image, output } = await bench.build(join(fixtures, 'dockerfile'), options);
    expect(output.filter(line => line.includes('STEP '))).not.toHaveLength(0);
    expect(image.port).toBe(8080);
  });
});

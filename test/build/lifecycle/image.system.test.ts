import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NamedOrder } from '../../../src/build/lifecycle/composite.ts';
import type { Image } from '../../../src/domain/image.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../support/bench.ts';
import { makeBuildpacks, type TestBuildpack } from '../support/buildpacks.ts';

// What builds of buildpacks that are not ours make of images, and what those images do when they run.

const web = `printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\n' >> "$1/launch.toml"`;
const script = join(fixtures, 'script');
let closing: (() => Promise<void> | void)[] = [];
let source: string;

beforeEach(() => {
  source = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  writeFileSync(join(source, 'file.txt'), 'content');
});
afterEach(async () => {
  rmSync(source, { recursive: true, force: true });
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function open(buildpacks: Record<string, TestBuildpack>, order?: NamedOrder): Promise<BuildBench> {
  const { dir, remove } = makeBuildpacks(buildpacks);
  closing.push(remove);
  const all = [Object.keys(buildpacks).map(id => ({ id }))];
  const bench = await openBench({ buildpacksDir: dir, order: order ?? all });
  closing.push(bench.close);
  return bench;
}

/** Host path of a file in the topmost layer of an image that has it. */
const inImage = (bench: BuildBench, image: Image, path: string) =>
  image.layers
    .map(id => join(bench.layers.layerPath(id), path))
    .filter(existsSync)
    .at(-1);

describe('an image', () => {
  it('L3 L4 runs exec.d programs, then sources profiles for a shell, and expands its arguments', async () => {
    const bench = await open({
      a: {
        api: '0.8',
        build: `l=$1/l; mkdir -p $l/exec.d $l/profile.d/web
          printf '#!/bin/bash\\necho "FIRST = \\\\"exec.d in \${PWD##*/}\\\\"" >&3\\n' > $l/exec.d/a; chmod +x $l/exec.d/a
          echo 'export SECOND="$FIRST, profile.d"' > $l/profile.d/a.sh
          echo 'export THIRD="$SECOND, web"' > $l/profile.d/web/a.sh
          printf '[types]\\nlaunch = true\\n' > $l.toml
          echo 'export WORDS="$THIRD, .profile"' > .profile
          sed -i 's/Hello from a script/Hello from $ENV{WORDS}, $ENV{PORT}/' serve.pl
          printf '[[processes]]\\ntype = "web"\\ncommand = "perl"\\nargs = ["/workspace/serve.pl", "$PORT"]\\n' > $1/launch.toml`,
      },
    });
    const { image } = await bench.build(script);
    let text = '';
    await bench.run(image, 'web', async base => {
      text = await (await fetchSoon(base)).text();
    });
    expect(text).toContain('Hello from exec.d in workspace, profile.d, web, .profile, 5000, uid 1000');
  });

  it('E5 E6 E7 B9 says what it is made of, in labels, links and metadata.toml', async () => {
    const bench = await open({
      'x/y': {
        toml: 'homepage = "https://example.org"',
        build: `mkdir $1/l; echo 1 > $1/l/f; printf '[types]\\nlaunch = true\\ncache = true\\n[metadata]\\nn = 7\\n' > $1/l.toml
          printf '[[labels]]\\nkey = "mine"\\nvalue = "first"\\n' > $1/launch.toml; ${web}
          printf 'default = true\\n[[slices]]\\npaths = ["static", "*.txt"]\\n' >> $1/launch.toml`,
      },
      z: { build: `printf '[[labels]]\\nkey = "mine"\\nvalue = "last"\\n' > $1/launch.toml` },
    });
    const { image } = await bench.build(source);
    expect(image.labels).toMatchObject({ mine: 'last', 'io.buildpacks.rebasable': 'true' });
    const build = JSON.parse(image.labels['io.buildpacks.build.metadata'] ?? '');
    expect(build.buildpacks[0]).toEqual({
      id: 'x/y',
      version: '1.2.3',
      api: '0.10',
      homepage: 'https://example.org',
    });
    expect(build['buildpack-default-process-type']).toBe('web');
    const lifecycle = JSON.parse(image.labels['io.buildpacks.lifecycle.metadata'] ?? '');
    const { l } = lifecycle.buildpacks[0].layers;
    expect(l).toMatchObject({ data: { n: 7 }, launch: true, cache: true, build: false });
    expect(image.layers).toContain(l.sha);
    expect(image.layers).toContain(lifecycle.runImage.topLayer);
    expect(image.env['PATH']).toMatch(/^\/cnb\/process:\/cnb\/lifecycle:/);
    expect(readlinkSync(inImageLink(bench, image, 'cnb/process/web'))).toBe('/cnb/lifecycle/launcher');
    const metadata = parse(readFileSync(inImage(bench, image, 'layers/config/metadata.toml') ?? '', 'utf8'));
    expect(metadata).toMatchObject({
      buildpacks: [{ id: 'x/y' }, { id: 'z' }],
      processes: [{ type: 'web' }],
      slices: [{ paths: ['static', '*.txt'] }],
    });
  });

  it('E4 E9 cuts the app into slices, of which a change of code renews only the one it is in', async () => {
    const bench = await open({
      a: {
        build: `printf '[[slices]]\\npaths = ["static", "*.txt"]\\n' > $1/launch.toml; ${web}; echo built > made`,
      },
    });
    const change = (text: string) => (dir: string) => writeFileSync(join(dir, 'main.js'), text);
    const first = await bench.build(source, { change: change('1') });
    const second = await bench.build(source, { change: change('2') });
    const [slice, rest] = first.image.layers.slice(-3);
    expect(readdirSync(join(bench.layers.layerPath(slice ?? 'sha256:'), 'workspace'))).toEqual(['file.txt']);
    expect(readdirSync(join(bench.layers.layerPath(rest ?? 'sha256:'), 'workspace'))).toEqual([
      'made',
      'main.js',
    ]);
    const changed = second.image.layers.filter(id => !first.image.layers.includes(id));
    expect(changed).toHaveLength(1);
    const third = await bench.build(source, { change: change('1'), fresh: true });
    expect(third.image.id).toBe(first.image.id);
  });

  it('B8 R4 holds bills of materials of what is launched, and gives those of layers back', async () => {
    const bench = await open({
      'x/y': {
        toml: 'sbom-formats = ["application/spdx+json"]',
        build: `(cd $1 && ls *.json 2>/dev/null | sed 's/^/restored /') || true
          for l in deps tool; do mkdir -p $1/$l; echo $l > $1/$l/f; echo '{}' > $1/$l.sbom.spdx.json; done
          echo '{}' > $1/launch.sbom.spdx.json; echo '{}' > $1/build.sbom.spdx.json
          printf '[types]\\nlaunch = true\\ncache = true\\n' > $1/deps.toml; printf '[types]\\ncache = true\\n' > $1/tool.toml; ${web}`,
      },
    });
    const { image } = await bench.build(source);
    const folder = inImage(bench, image, 'layers/sbom/launch/x_y') ?? '';
    expect(readdirSync(folder)).toEqual(['deps', 'sbom.spdx.json']);
    const { output } = await bench.build(source, { fresh: true });
    expect(output.filter(line => line.startsWith('restored '))).toEqual([
      'restored deps.sbom.spdx.json',
      'restored tool.sbom.spdx.json',
    ]);
  });

  it('D5 is built by what a composite buildpack is made of', async () => {
    const bench = await open(
      {
        a: { build: web },
        b: { build: 'echo b built' },
        all: {
          toml: '[[order]]\n[[order.group]]\nid = "b"\nversion = "1.2.3"\n[[order.group]]\nid = "a"',
          bin: false,
        },
      },
      [[{ id: 'all' }]],
    );
    expect((await bench.build(source)).output).toContain('b built');
  });

  it('S5 is built as project.toml says, with a buildpack that is written in it', async () => {
    const bench = await open({
      a: { build: `${web}; ls; echo "MODE=$MODE, MINE=$MINE"` },
      b: { build: 'exit 1' },
    });
    const toml = `
      [_]
      schema-version = "0.2"
      [io.buildpacks]
      exclude = ["*.txt"]
      [[io.buildpacks.group]]
      id = "me/inline"
      [io.buildpacks.group.script]
      api = "0.10"
      inline = "echo inline built in $PWD"
      [[io.buildpacks.group]]
      id = "a"
      [[io.buildpacks.build.env]]
      name = "MODE"
      value = "project"
      [[io.buildpacks.build.env]]
      name = "MINE"
      value = "project"`;
    const change = (dir: string) => writeFileSync(join(dir, 'project.toml'), toml);
    const { output } = await bench.build(source, { change, config: { MINE: 'config' } });
    expect(output).toEqual(
      expect.arrayContaining(['inline built in /workspace', 'MODE=project, MINE=config', 'project.toml']),
    );
    expect(output).not.toContain('file.txt');
    const again = await bench.build(source, { change, config: { MINE: 'config' } });
    expect(again.sandboxes).toBe(0);
  });
});

describe('a build', () => {
  it('V4 gets what the operator sets, as environment and files, and is not reused once that changes', async () => {
    const bench = await open({
      a: {
        build: `echo "M=$M, O=$O"; cat /cnb/build-config/env/M; echo; ! touch /cnb/build-config/env/x 2>/dev/null; ${web}`,
      },
    });
    const set = (files: Record<string, string>) => {
      mkdirSync(join(bench.paths.data, 'build-config/env'), { recursive: true });
      for (const [name, value] of Object.entries(files))
        writeFileSync(join(bench.paths.data, 'build-config/env', name), value, { mode: 0o600 });
    };
    set({ M: 'mirror', 'O.override': 'operator' });
    const config = { O: 'user' };
    const { output } = await bench.build(source, { config });
    expect(output).toEqual(expect.arrayContaining(['M=mirror, O=operator', 'mirror']));
    expect((await bench.build(source, { config })).sandboxes).toBe(0);
    set({ M: 'other' });
    expect((await bench.build(source, { config })).output).toContain('M=other, O=operator');
  });
});

function inImageLink(bench: BuildBench, image: Image, path: string): string {
  return join(bench.layers.layerPath(image.layers.at(-1) ?? 'sha256:'), path);
}

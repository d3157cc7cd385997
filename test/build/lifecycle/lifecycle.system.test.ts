import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderNames } from '../../../src/build/lifecycle/order.ts';
import { readRecord } from '../../../src/build/lifecycle/record.ts';
import { exec } from '../../../src/system/exec.ts';
import { type BuildBench, fixtures, openBench } from '../support/bench.ts';
import { makeBuildpacks, type TestBuildpack } from '../support/buildpacks.ts';

// The Buildpack API with buildpacks that are not ours: each test writes its own, in shell.

const web = `printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`;
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

async function open(buildpacks: Record<string, TestBuildpack>, order?: OrderNames): Promise<BuildBench> {
  const { dir, remove } = makeBuildpacks(buildpacks);
  closing.push(remove);
  const all = [Object.keys(buildpacks).map(id => ({ id }))];
  const bench = await openBench({ buildpacksDir: dir, order: order ?? all });
  closing.push(bench.close);
  return bench;
}

describe('detection', () => {
  it('D3 takes the first group that passes, asks each buildpack once and drops optional ones that fail', async () => {
    const bench = await open(
      {
        'a/passes': { detect: 'exit 0', build: web },
        'a/fails': { detect: 'exit 100' },
        'a/errs': { detect: 'echo broken; exit 7' },
        'a/other': { build: `${web}; echo other built` },
      },
      [
        [{ id: 'a/passes' }, { id: 'a/fails' }],
        [{ id: 'a/passes' }, { id: 'a/errs' }],
        [{ id: 'a/errs', optional: true }, { id: 'a/passes' }, { id: 'a/other' }],
        [{ id: 'a/other' }],
      ],
    );
    const { image, output } = await bench.build(source);
    expect(JSON.parse(image.labels['io.buildpacks.build.metadata'] ?? '').buildpacks).toEqual([
      { id: 'a/passes', version: '1.2.3', api: '0.10' },
      { id: 'a/other', version: '1.2.3', api: '0.10' },
    ]);
    expect(output).toContain('other built');
    expect(output).toContain('broken');
  });

  it('D12 shows what a detect said that erred when nothing passes', async () => {
    const bench = await open({ 'a/errs': { detect: 'echo the reason >&2; exit 7' } });
    const error = await bench.build(source).catch(caught => caught);
    expect(error.message).toBe('Detection by buildpack a/errs failed; its output is above.');
    expect(error.output).toContain('the reason');
  });

  it('D1 S4 cannot write to the app, the buildpacks or the platform, and is not root', async () => {
    const detect = `
      for place in /workspace "$CNB_BUILDPACK_DIR" "$CNB_PLATFORM_DIR" /cnb /usr; do
        if touch "$place/x" 2>/dev/null; then echo "wrote to $place"; exit 9; fi
      done
      [[ $(id -u) == 1000 && $PWD == /workspace ]] || exit 9`;
    const bench = await open({ 'a/probe': { detect, build: web } });
    await expect(bench.build(source)).resolves.toMatchObject({ image: { user: { uid: 1000, gid: 1000 } } });
  });
});

describe('a buildpack', () => {
  it('is run also where others may not read its files', async () => {
    const { dir, remove } = makeBuildpacks({
      a: { build: `${web}; cat "$CNB_BUILDPACK_DIR/buildpack.toml"` },
    });
    closing.push(remove);
    await exec('chmod', ['-R', 'go=', dir]);
    const bench = await openBench({ buildpacksDir: dir, order: [[{ id: 'a' }]] });
    closing.push(bench.close);
    expect((await bench.build(source)).output).toContain('id = "a"');
  });

  it.each([
    [
      { api: '0.13' },
      'Buildpack a@1.2.3 asks for Buildpack API 0.13. Use a version of it for one of 0.7, 0.8',
    ],
    [{ toml: '[[order]]\ngroup = []' }, 'Buildpack a@1.2.3 is made of other buildpacks'],
    [{ toml: '= x' }, 'is not TOML at line 5'],
  ])('A1 that cannot be used, %j, is refused before anything runs', async (buildpack, message) => {
    const bench = await open({ a: buildpack });
    await expect(bench.build(source)).rejects.toThrow(message);
    expect(bench.sandboxes).toEqual([]);
  });
});

describe('the build', () => {
  it('B2 hands plan entries to their first provider and on by unmet', async () => {
    const provide = `printf '[[provides]]\\nname = "thing"\\n' > "$CNB_BUILD_PLAN_PATH"`;
    const show = 'sed "s|^|$CNB_LAYERS_DIR |" "$CNB_BP_PLAN_PATH"';
    const bench = await open({
      first: {
        detect: provide,
        build: `${show}; printf '[[unmet]]\\nname = "thing"\\n' > "$CNB_LAYERS_DIR/build.toml"`,
      },
      second: { detect: provide, build: show },
      third: {
        detect: `printf '[[requires]]\\nname = "thing"\\n[requires.metadata]\\nversion = "7"\\n' > "$2"`,
        build: `${show}; ${web}`,
      },
    });
    const { output } = await bench.build(source);
    const versions = output.filter(line => line.includes('version = "7"'));
    expect(versions.map(line => line.split(' ')[0])).toEqual(['/layers/first', '/layers/second']);
  });

  it('B2 refuses an unmet entry that is not in the plan', async () => {
    const bench = await open({
      a: { build: `printf '[[unmet]]\\nname = "x"\\n' > "$CNB_LAYERS_DIR/build.toml"; ${web}` },
    });
    await expect(bench.build(source)).rejects.toThrow('build.toml of a names "x", which is not in its plan.');
  });

  it('B5 shows build layers to later buildpacks, config as files and environment, and nothing of the host', async () => {
    process.env['HOST_ONLY'] = 'leak';
    closing.push(() => void delete process.env['HOST_ONLY']);
    const bench = await open({
      first: {
        build: `l=$CNB_LAYERS_DIR/tools; mkdir -p $l/bin $l/lib $l/env $l/env.build $l/env.launch
          printf '#!/bin/sh\\necho from tool' > $l/bin/tool; chmod +x $l/bin/tool
          printf a > $l/env/BOTH; printf b > $l/env.build/BUILD; printf c > $l/env.launch/LAUNCH
          printf '[types]\\nbuild = true\\n' > $l.toml`,
      },
      second: {
        build: `tool; env | sort; cat "$CNB_PLATFORM_DIR/env/TOKEN"; echo; stat -c %a "$CNB_PLATFORM_DIR/env/TOKEN"; ${web}`,
      },
      third: { toml: 'clear-env = true', build: 'echo "third sees ${TOKEN-nothing}"' },
    });
    const { output, image } = await bench.build(source, { config: { TOKEN: 'tok en', PATH: '/mine' } });
    expect(output).toContain('from tool');
    for (const line of [
      'BOTH=a',
      'BUILD=b',
      'TOKEN=tok en',
      'CNB_TARGET_OS=linux',
      'CNB_STACK_ID=wherry-12',
      'HOME=/home/app',
      'tok en',
      '400',
      'third sees nothing',
    ]) {
      expect(output).toContain(line);
    }
    expect(output.find(line => line.startsWith('PATH='))).toMatch(
      /^PATH=\/mine:\/layers\/first\/tools\/bin:/,
    );
    expect(output.join('\n')).not.toMatch(/HOST_ONLY|LAUNCH=c/);
    expect(JSON.stringify(image)).not.toContain('tok en');
  });

  it('A3 passes positional arguments and the environment of the API', async () => {
    const bench = await open({
      'x/y': {
        api: '0.7',
        build: `[[ -z \${CNB_LAYERS_DIR-} && $1 == /layers/x_y && $2 == /platform && -f $3 && -d $CNB_BUILDPACK_DIR ]]; CNB_LAYERS_DIR=$1; ${web.replace('["true"]', '"sleep 5 && true"')}`,
      },
    });
    const { image } = await bench.build(source);
    expect(image.processes[0]?.command).toEqual(['/cnb/lifecycle/shell', 'sleep 5 && true']);
  });

  it('B3 S6 ends with the failing buildpack and keeps what the last build left', async () => {
    const bench = await open({
      'a/b': { build: `${web}; [[ ! -f broken ]] || { echo the reason; exit 3; }` },
    });
    const good = await bench.build(source);
    const bad = await bench
      .build(source, { change: dir => writeFileSync(join(dir, 'broken'), '') })
      .catch(caught => caught);
    expect(bad.message).toBe(
      'The build failed: buildpack a/b ended with exit status 3. Its output is above.',
    );
    expect(bad.output).toContain('the reason');
    expect(bad.code).toBe('build-failed');
    expect(readRecord(bench.paths.builds, 'app')?.image).toEqual(good.image);
  });

  it('B4 renames layers that are for nothing, with what is in them, before the next buildpack', async () => {
    const bench = await open({
      a: {
        build: `cd "$CNB_LAYERS_DIR"; mkdir -p none flagged kept bare
          echo scratch > none/file; touch none.toml; printf '[types]\\n' > flagged.toml
          printf '[types]\\ncache = true\\n' > kept.toml`,
      },
      b: { build: `(cd /layers/a; ls; cat none.ignore/file); ${web}` },
    });
    const { output } = await bench.build(source);
    expect(output.filter(line => !line.includes(' '))).toEqual(
      expect.arrayContaining(['bare', 'flagged.ignore', 'kept', 'none.ignore', 'scratch']),
    );
    expect(output).not.toContain('none');
    expect(output).not.toContain('flagged');
    const again = await bench.build(source, { fresh: true });
    expect(again.output).toContain('none.ignore');
  });

  it('B4 has layers with names that Wherry reserves to buildpacks which speak to it', async () => {
    const layers = ['inputs', 'failure'].map(
      name => `mkdir "$CNB_LAYERS_DIR/${name}"; echo ${name} > "$CNB_LAYERS_DIR/${name}/file"
        printf '[types]\\nlaunch = true\\n[metadata]\\nfiles = 7\\nmessage = 8\\n' > "$CNB_LAYERS_DIR/${name}.toml"`,
    );
    const bench = await open({ a: { build: `${layers.join('\n')}; ${web}; [[ ! -f broken ]]` } });
    await bench.build(source);
    const names = readRecord(bench.paths.builds, 'app')?.buildpacks[0]?.layers.map(({ name }) => name);
    expect(names).toEqual(['failure', 'inputs']);
    const broken = bench.build(source, { change: dir => writeFileSync(join(dir, 'broken'), '') });
    await expect(broken).rejects.toThrow('buildpack a ended with exit status 1');
  });

  it.each([
    [
      'a layer for launch and cache without a folder',
      'printf "[types]\\nlaunch = true\\ncache = true\\n" > "$CNB_LAYERS_DIR/x.toml"',
      'is for launch and the cache, but has no folder',
    ],
    [
      'a layer for nothing that cannot be renamed',
      'mkdir -p "$CNB_LAYERS_DIR/x" "$CNB_LAYERS_DIR/x.ignore/full"; touch "$CNB_LAYERS_DIR/x.toml"',
      'Layer x of a is for nothing, and x.ignore is in its way',
    ],
    [
      'flags outside types',
      'printf "launch = true\\n" > "$CNB_LAYERS_DIR/x.toml"',
      'launch: belongs into the table "types"',
    ],
    [
      'a layer that is no folder',
      'printf "[types]\\nlaunch = true\\n" > "$CNB_LAYERS_DIR/x.toml"; ln -s /etc "$CNB_LAYERS_DIR/x"',
      'Layer x of a is not a folder',
    ],
    [
      'a launch layer without a folder',
      'printf "[types]\\nlaunch = true\\n" > "$CNB_LAYERS_DIR/x.toml"',
      'is for launch but has no folder',
    ],
    [
      'a toml that is a link to a host file',
      'ln -s /etc/shadow "$CNB_LAYERS_DIR/x.toml"',
      'x.toml of a is a symbolic link',
    ],
    [
      'a toml that does not parse',
      'echo "= 1" > "$CNB_LAYERS_DIR/launch.toml"',
      'launch.toml of a is not TOML at line 1',
    ],
    [
      'two default processes',
      `printf '[[processes]]\\ntype="a"\\ncommand=["x"]\\ndefault=true\\n[[processes]]\\ntype="b"\\ncommand=["x"]\\ndefault=true\\n' > "$CNB_LAYERS_DIR/launch.toml"`,
      'marks two processes as the default',
    ],
    ['no process at all', 'true', 'The build gave no process to run'],
  ])('B4 refuses %s', async (_name, build, message) => {
    const bench = await open({ a: { build } });
    await expect(bench.build(source)).rejects.toThrow(message);
  });
});

describe('restoring', () => {
  const layer = (name: string, types: string) =>
    `mkdir -p "$CNB_LAYERS_DIR/${name}"; echo ${name} > "$CNB_LAYERS_DIR/${name}/file"
     printf '[types]\\n${types}\\n[metadata]\\nnumber = 7\\n' > "$CNB_LAYERS_DIR/${name}.toml"`;

  it('R2 brings back tomls without types, folders of cached layers and the store, and nothing else', async () => {
    const bench = await open({
      a: {
        build: `(cd "$CNB_LAYERS_DIR" && find . -type f | LC_ALL=C sort && cat ./*.toml || true)
          ${layer('launched', 'launch = true')}
          ${layer('both', 'launch = true\\ncache = true')}
          ${layer('cached', 'cache = true')}
          ${layer('built', 'build = true')}
          printf '[metadata]\\nkept = "yes"\\n' > "$CNB_LAYERS_DIR/store.toml"; ${web}`,
      },
    });
    await bench.build(source);
    const { output } = await bench.build(source, { fresh: true });
    const files = output.filter(line => line.startsWith('./'));
    expect(files).toEqual([
      './both.toml',
      './both/file',
      './cached.toml',
      './cached/file',
      './launched.toml',
      './store.toml',
    ]);
    expect(output.filter(line => line === 'number = 7')).toHaveLength(3);
    expect(output).toContain('kept = "yes"');
    expect(output).not.toContain('[types]');
  });

  it('E3 keeps a layer that only its toml renews, takes over changes to a cached one, and forgets a deleted one', async () => {
    const bench = await open({
      a: {
        build: `cd "$CNB_LAYERS_DIR"
          if [[ ! -f launched.toml ]]; then ${layer('launched', 'launch = true')}; ${layer('both', 'launch = true\\ncache = true')}; ${layer('gone', 'launch = true\\ncache = true')}
          else
            rm -rf gone gone.toml
            [[ ! -e launched ]]
            printf '\\n[types]\\nlaunch = true\\n' >> launched.toml
            printf '\\n[types]\\nlaunch = true\\ncache = true\\n' >> both.toml
            [[ ! -f /workspace/more ]] || echo more > both/more
          fi; ${web}`,
      },
    });
    const layersOf = () =>
      new Map(
        readRecord(bench.paths.builds, 'app')?.buildpacks[0]?.layers.map(({ name, diffId }) => [
          name,
          diffId,
        ]),
      );
    await bench.build(source);
    const first = layersOf();
    await bench.build(source, { fresh: true });
    expect(layersOf()).toEqual(new Map([...first].filter(([name]) => name !== 'gone')));
    const { image } = await bench.build(source, { change: dir => writeFileSync(join(dir, 'more'), '') });
    expect(layersOf().get('launched')).toBe(first.get('launched'));
    expect(layersOf().get('both')).not.toBe(first.get('both'));
    const [dir] = image.layers
      .map(id => join(bench.layers.layerPath(id), 'layers/a/both'))
      .filter(existsSync);
    expect(readdirSync(dir ?? '')).toEqual(['file', 'more']);
  });

  it('V6 shows layers, their environment and what the build wrote into the app at launch', async () => {
    const bench = await open({
      a: {
        build: `l=$CNB_LAYERS_DIR/l; mkdir -p $l/bin $l/env.launch/web
          printf '#!/bin/sh\\nexec perl /workspace/serve.pl "$1"' > $l/bin/serve; chmod +x $l/bin/serve
          printf '[types]\\nlaunch = true\\n' > $l.toml
          printf 'web-only' > $l/env.launch/web/PWD_NAME
          sed -i 's/Hello from a script/Hello from $ENV{PWD_NAME}/' serve.pl
          rm -r folder; mkdir folder; echo new > folder/new
          printf '[[processes]]\\ntype = "web"\\ncommand = ["serve", "5000"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`,
      },
    });
    const change = (dir: string) => {
      mkdirSync(join(dir, 'folder'));
      writeFileSync(join(dir, 'folder/old'), '');
    };
    const { image } = await bench.build(script, { change });
    let text = '';
    await bench.run(image, 'web', async base => {
      for (let tries = 0; tries < 100 && text === ''; tries++) {
        text = await fetch(base).then(
          async answer => await answer.text(),
          () => '',
        );
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    });
    expect(text).toContain('Hello from web-only, uid 1000');
  });
});

import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../../src/build/lifecycle/record.ts';
import { caInside } from '../../../src/build/operator.ts';
import type { Image } from '../../../src/domain/image.ts';
import { outputOf } from '../support/output-of.ts';
import { type ShellBench, shellBenches, web } from '../support/shell-bench.ts';

// What the platform promises: to a build where it runs, to the next one what is kept, and to the image how it is laid out.

const { open, source, atEnd } = shellBenches();

const layer = (name: string, types: string, more = '') =>
  `l=$CNB_LAYERS_DIR/${name}; mkdir -p "$l"; echo ${name} > "$l/file"; ${more}
   printf '[types]\\n${types}\\n' > "$l.toml"`;
const run = (command: string) =>
  `printf '[[processes]]\\ntype = "web"\\ncommand = ["bash", "-c", "${command}"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`;

/** What an image's layer holds up to that depth, as paths. */
function contents(bench: ShellBench, id: Image['layers'][number], depth: number): readonly string[] {
  return readdirSync(bench.layers.layerPath(id), { recursive: true, encoding: 'utf8' })
    .filter(path => path.split('/').length === depth)
    .sort();
}

describe('a build', () => {
  it('B1 runs in group order in the app, each buildpack with its own layers and its own part of the plan', async () => {
    const provide = (...names: string[]) =>
      names.map(name => `printf '[[provides]]\\nname = "${name}"\\n' >> "$2"`).join('\n');
    const look = `echo "$CNB_BUILDPACK_DIR in $PWD: $1 $CNB_LAYERS_DIR, $(ls /layers/*/mine 2>/dev/null | wc -l) before"
      sed -n 's/^name/plan &/p' "$3"; cmp "$3" "$CNB_BP_PLAN_PATH"; touch "$1/mine"; echo "$1" >> trail; cat trail`;
    const bench = await open({
      'a/one': { detect: provide('thing', 'other'), build: look },
      two: { detect: provide('tool'), build: look },
      three: {
        detect: `for name in thing other tool; do printf '[[requires]]\\nname = "%s"\\n' "$name" >> "$2"; done`,
        build: `${look}; ${web}`,
      },
    });
    const { output } = await bench.build(source());
    expect(output.filter(line => /^(\/cnb|plan|\/layers)/.test(line))).toEqual([
      '/cnb/buildpacks/a_one/1.2.3 in /workspace: /layers/a_one /layers/a_one, 0 before',
      ...['plan name = "thing"', 'plan name = "other"'],
      '/layers/a_one',
      '/cnb/buildpacks/two/1.2.3 in /workspace: /layers/two /layers/two, 1 before',
      'plan name = "tool"',
      ...['/layers/a_one', '/layers/two'],
      '/cnb/buildpacks/three/1.2.3 in /workspace: /layers/three /layers/three, 2 before',
      ...['/layers/a_one', '/layers/two', '/layers/three'],
    ]);
  });

  it('V8 has the last layer of a buildpack first on the path, in the build as at launch', async () => {
    const both = ['a', 'b'].map(name => layer(name, 'build = true\\nlaunch = true', 'mkdir "$l/bin"'));
    const bench = await open({
      first: { build: both.join('\n') },
      second: { build: `echo "build $PATH"; ${run('echo launch $PATH')}` },
    });
    const { image, output } = await bench.build(source());
    const first = '/layers/first/b/bin:/layers/first/a/bin:';
    expect(output.find(line => line.startsWith('build '))).toContain(`build ${first}`);
    expect(await outputOf(bench, image)).toContain(`launch ${first}`);
  });

  it('S1 sees no login of the host or of a registry, and nothing of the data directory but its own', async () => {
    const secret = 'correct-horse-battery-staple';
    for (const name of ['CNB_REGISTRY_AUTH', 'DOCKER_AUTH_CONFIG', 'WHERRY_SECRET']) {
      process.env[name] = secret;
      atEnd(() => void delete process.env[name]);
    }
    const search = `(env; cat "$HOME"/.docker/config.json /root/.docker/config.json /run/containers/*/auth.json) 2>/dev/null | grep -c ${secret} | sed "s/^/found /" || true`;
    const bench = await open({ a: { detect: `${search}; exit 0`, build: `${search}; ${web}` } });
    for (const name of ['secrets', 'logins']) {
      mkdirSync(join(bench.paths.data, name));
      writeFileSync(join(bench.paths.data, name, 'file'), secret);
    }
    const { output } = await bench.build(source());
    expect(output).toContain('found 0');
    expect(output.join('\n')).not.toMatch(/found [1-9]/);
    const hostFolders = bench.sandboxes.flatMap(({ mounts }) =>
      mounts
        .filter(({ target }) => target !== caInside)
        .flatMap(mount => ('source' in mount ? [mount.source] : mount.lower)),
    );
    const own = [bench.paths.builds, bench.paths.layers, join(bench.paths.cache, 'layers')];
    expect(hostFolders.filter(path => !own.some(folder => path.startsWith(`${folder}/`)))).toEqual([]);
  });

  it('S2 and its image run as a user with a name, a home that can be written to, and a PATH', async () => {
    const who = 'id -u; id -un; touch $HOME/x && echo home; command -v env; test $(id -u) != 0';
    const bench = await open({ a: { build: `${who}; ${run(who)}` } });
    const { image, output } = await bench.build(source());
    expect(output).toEqual(expect.arrayContaining(['1000', 'app', 'home', '/usr/bin/env']));
    expect((await outputOf(bench, image)).trim().split('\n')).toEqual([
      '1000',
      'app',
      'home',
      '/usr/bin/env',
    ]);
  });

  it('S3 is on the same system as its image, which is named in variables and labels alike', async () => {
    const what = '. /etc/os-release; echo $ID $VERSION_ID $(uname -m)';
    const told = 'echo "told $CNB_TARGET_DISTRO_NAME $CNB_TARGET_DISTRO_VERSION $CNB_STACK_ID"';
    const bench = await open({ a: { build: `${what}; ${told}; ${run(what)}` } });
    const { image, output } = await bench.build(source());
    const [here = ''] = (await outputOf(bench, image)).trim().split('\n');
    expect(output).toContain(here);
    const { labels } = image;
    const distro = ['name', 'version'].map(key => labels[`io.buildpacks.base.distro.${key}`]).join(' ');
    expect(here.startsWith(`${distro} `)).toBe(true);
    expect(output).toContain(`told ${distro} ${labels['io.buildpacks.stack.id']}`);
    expect(labels['io.buildpacks.base.id']).toBe(labels['io.buildpacks.stack.id']);
  });
});

describe('an image', () => {
  it('E1 E2 lies in layers of the stack, of buildpacks in their order, of materials, app and launcher', async () => {
    const sbom = 'echo {} > "$CNB_LAYERS_DIR/launch.sbom.cdx.json"';
    const bench = await open({
      'z/first': {
        toml: 'sbom-formats = ["application/vnd.cyclonedx+json"]',
        build: `${layer('b', 'launch = true')}; ${layer('a', 'launch = true')}; ${layer('c', 'cache = true')}; ${sbom}`,
      },
      second: {
        build: `${layer('x', 'launch = true')}; echo built > built.txt; ${web}
          printf '[[slices]]\\npaths = ["file.txt"]\\n' >> "$CNB_LAYERS_DIR/launch.toml"`,
      },
    });
    const { image } = await bench.build(source());
    const base = JSON.parse(image.labels['io.wherry.base'] ?? '').run as string[];
    expect(image.layers.slice(0, base.length)).toEqual(base);
    const own = image.layers.slice(base.length);
    expect(own.slice(0, 3).flatMap(id => contents(bench, id, 3))).toEqual([
      'layers/z_first/a',
      'layers/z_first/b',
      'layers/second/x',
    ]);
    expect(contents(bench, own[3] ?? 'sha256:', 5)).toEqual(['layers/sbom/launch/z_first/sbom.cdx.json']);
    expect(own.slice(4, 6).map(id => contents(bench, id, 2))).toEqual([
      ['workspace/file.txt'],
      ['workspace/built.txt'],
    ]);
    expect(contents(bench, own[6] ?? 'sha256:', 2)).toContain('cnb/process');
    expect(own).toHaveLength(7);
    const owner = (path: string) => lstatSync(join(bench.layers.layerPath(own[0] ?? 'sha256:'), path)).uid;
    expect(['layers', 'layers/z_first', 'layers/z_first/a', 'layers/z_first/a/file'].map(owner)).toEqual([
      ...[0, 0],
      ...[1000, 1000],
    ]);
  });

  it('E8 keeps what is cached after a success alone, and writes nothing where nothing changed', async () => {
    const bench = await open({
      a: {
        build: `cat "$CNB_LAYERS_DIR/kept/file" 2>/dev/null || true
          if [[ -f broken ]]; then echo spoiled > "$CNB_LAYERS_DIR/kept/file"; exit 1; fi
          if [[ -f "$CNB_LAYERS_DIR/kept/file" ]]; then printf '\\n[types]\\ncache = true\\n' >> "$CNB_LAYERS_DIR/kept.toml"
          else ${layer('kept', 'cache = true')}; fi; ${web}`,
      },
    });
    const stored = () => readRecord(bench.paths.builds, 'app')?.buildpacks[0]?.layers[0]?.diffId;
    const first = await bench.build(source());
    const kept = stored();
    expect(first.image.layers).not.toContain(kept);
    const broken = { change: (dir: string) => writeFileSync(join(dir, 'broken'), '') };
    await expect(bench.build(source(), broken)).rejects.toThrow('exit status 1');
    await bench.builder.collect([]);
    const before = readdirSync(bench.paths.layers).sort();
    const again = await bench.build(source(), { fresh: true });
    expect(again.output).toContain('kept');
    expect(again.output).not.toContain('spoiled');
    expect([stored(), readdirSync(bench.paths.layers).sort()]).toEqual([kept, before]);
  });
});

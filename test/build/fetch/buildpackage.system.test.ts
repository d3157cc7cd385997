import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { type PackagedBuildpack, pushBuildpackage } from '../support/buildpackages.ts';
import { sha256, tarOf } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// Buildpacks as images of a registry of the tests' own on loopback.

let bench: BuildBench;
let host: RegistryHost;
let source: string;

beforeAll(async () => {
  host = await openRegistryHost();
  bench = await openBench({ allowHosts: host.host });
  source = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  writeFileSync(join(source, 'page.txt'), 'ahoy');
}, 120_000);
afterAll(async () => {
  await bench.close();
  await host.close();
  rmSync(source, { recursive: true, force: true });
});
beforeEach(() => {
  host.requests.length = 0;
});

const image = (name: string) => `docker://${host.host}/${name}`;
const builtBy = (labels: Readonly<Record<string, string>>) =>
  (
    JSON.parse(labels['io.buildpacks.build.metadata'] ?? '') as {
      buildpacks: { id: string; version: string }[];
    }
  ).buildpacks.map(({ id, version }) => `${id}@${version}`);

const order = (...ids: readonly string[]) =>
  `[[order]]\n${ids.map(text => `[[order.group]]\nid = "${text.split('@')[0]}"\nversion = "${text.split('@')[1]}"\n`).join('')}`;
const server = `use IO::Socket::INET;
  my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 10, ReuseAddr => 1) or die;
  while (my $client = $server->accept) {
    while (<$client>) { last if /^\\r?$/ }
    open(my $page, "<", "page.txt");
    print $client "HTTP/1.0 200 OK\\r\\n\\r\\n$ENV{HAIL}: " . <$page>; close $client;
  }`;
const hail = (version: string, word: string): PackagedBuildpack => ({
  id: 'team/hail',
  version,
  detect: 'true',
  build: `mkdir -p "$CNB_LAYERS_DIR/hail/env.launch"; printf ${word} > "$CNB_LAYERS_DIR/hail/env.launch/HAIL.default"; printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/hail.toml"`,
});
const web: PackagedBuildpack = {
  id: 'team/web',
  version: '2.0.0',
  toml: '[[targets]]\nos = "linux"',
  detect: 'test -f page.txt',
  build: `cp "$CNB_BUILDPACK_DIR/server.pl" .; printf '[[processes]]\\ntype = "web"\\ncommand = ["perl", "server.pl"]\\ndefault = true\\n' > "$CNB_LAYERS_DIR/launch.toml"`,
  more: [{ name: 'cnb/buildpacks/team_web/2.0.0/server.pl', text: server }],
};
const shop = (version: string, word: string) =>
  [
    { id: 'team/shop', version, toml: order(`team/hail@${version}`, 'team/web@2.0.0') },
    hail(version, word),
    web,
  ] as const;

describe('a buildpack that is an image', () => {
  it('builds with all that it is made of, and what it builds runs and answers', async () => {
    const digest = await pushBuildpackage(host, ['team/shop', '1'], shop('1.0.0', 'ahoy'));
    const { image: built, output } = await bench.build(source, { buildpacks: [image('team/shop:1')] });
    expect(builtBy(built.labels)).toEqual(['team/hail@1.0.0', 'team/web@2.0.0']);
    expect(output).toContain(`Digest: ${digest}`);
    await bench.run(built, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('ahoy: ahoy');
    });
    const left = readdirSync(join(bench.paths.cache, 'buildpacks')).filter(name => name.startsWith('fetch-'));
    expect(left).toEqual([]);
  });

  it('is held at its digest: no push asks for it again, a rebuild takes what its tag means then', async () => {
    const app = parseAppName('held');
    const buildpacks = [image('team/held:1')];
    await pushBuildpackage(host, ['team/held', '1'], shop('1.0.0', 'one'));
    await bench.build(source, { app, buildpacks });
    await pushBuildpackage(host, ['team/held', '1'], shop('1.1.0', 'two'));
    host.requests.length = 0;
    const change = (dir: string) => writeFileSync(join(dir, 'page.txt'), 'changed');
    expect(builtBy((await bench.build(source, { app, buildpacks, change })).image.labels)).toContain(
      'team/hail@1.0.0',
    );
    expect(host.requests).toEqual([]);
    expect(builtBy((await bench.build(source, { app, buildpacks, fresh: true })).image.labels)).toContain(
      'team/hail@1.1.0',
    );
    host.requests.length = 0;
    await bench.build(source, { app, buildpacks, fresh: true });
    expect(host.requests).toEqual(['GET /v2/team/held/manifests/1']);
  });

  it('is fetched once for all apps, and by its digest asks nobody', async () => {
    const digest = await pushBuildpackage(host, ['team/once', '1'], shop('1.0.0', 'once'));
    await bench.build(source, { app: parseAppName('first'), buildpacks: [image('team/once:1')] });
    host.requests.length = 0;
    await bench.build(source, { app: parseAppName('second'), buildpacks: [image('team/once:1')] });
    expect(host.requests).toEqual(['GET /v2/team/once/manifests/1']);
    host.requests.length = 0;
    await bench.build(source, { app: parseAppName('third'), buildpacks: [image(`team/once@${digest}`)] });
    expect(host.requests).toEqual([]);
  });

  it('has its own version of a part, whatever another one brings', async () => {
    await pushBuildpackage(
      host,
      ['team/other', '1'],
      [{ id: 'team/other', version: '1.0.0', toml: order('team/hail@9.0.0') }, hail('9.0.0', 'other')],
    );
    await pushBuildpackage(host, ['team/shop', '1'], shop('1.0.0', 'ahoy'));
    const app = parseAppName('both');
    const buildpacks = [image('team/other:1'), image('team/shop:1')];
    const built = await bench.build(source, { app, buildpacks });
    expect(builtBy(built.image.labels)).toEqual(['team/hail@9.0.0', 'team/web@2.0.0']);
  });

  it('builds from the copy when its registry is gone', async () => {
    const gone = await openRegistryHost();
    const other = await openBench({ allowHosts: gone.host });
    try {
      await pushBuildpackage(gone, ['team/shop', '1'], shop('1.0.0', 'ahoy'));
      const buildpacks = [`docker://${gone.host}/team/shop:1`];
      await other.build(source, { buildpacks });
      await gone.close();
      const { output } = await other.build(source, { buildpacks, fresh: true });
      expect(output.join()).toMatch(/cannot be reached.*Building with the copy from before/);
    } finally {
      await other.close();
    }
  });
});

describe('a buildpack that project.toml names by its address', () => {
  const project = (text: string) => (dir: string) => writeFileSync(join(dir, 'project.toml'), text);
  const group = (...uris: readonly string[]) =>
    uris.map(uri => `[[io.buildpacks.group]]\nuri = "${uri}"\n`).join('');

  it('is fetched and builds, and is not asked for again', async () => {
    const app = parseAppName('addressed');
    await pushBuildpackage(host, ['team/shop', '1'], shop('1.0.0', 'ahoy'));
    const change = project(
      group('wherry/procfile', image('team/shop:1')).replace('\n', '\noptional = true\n'),
    );
    const first = await bench.build(source, { app, change });
    expect(builtBy(first.image.labels)).toEqual(['team/hail@1.0.0', 'team/web@2.0.0']);
    await pushBuildpackage(host, ['team/shop', '1'], shop('1.1.0', 'next'));
    host.requests.length = 0;
    await bench.build(source, { app, change });
    expect(host.requests).toEqual([]);
    expect(builtBy((await bench.build(source, { app, change, fresh: true })).image.labels)).toContain(
      'team/hail@1.1.0',
    );
  });

  it('builds beside the one that an operator chose, in whose place it does not come', async () => {
    await pushBuildpackage(host, ['team/shop', '1'], shop('1.0.0', 'ahoy'));
    await pushBuildpackage(host, ['team/first', '1'], [{ ...hail('3.0.0', 'first'), id: 'team/first' }]);
    const change = project(
      `${group(image('team/none:1'))}[[io.buildpacks.pre.group]]\nuri = "${image('team/first:1')}"\n`,
    );
    const options = { app: parseAppName('beside'), buildpacks: [image('team/shop:1')], change };
    expect(builtBy((await bench.build(source, options)).image.labels)).toEqual([
      'team/first@3.0.0',
      'team/hail@1.0.0',
      'team/web@2.0.0',
    ]);
  });

  it.each([
    ['/srv/buildpack', /a folder of this host, which an operator alone may choose/],
    ['file:///etc', /is fetched by file, which is not supported/],
    ['./buildpack', /Invalid buildpack specified/],
    ['urn:cnb:registry:heroku/nodejs', /name of the buildpack registry, which is not asked/],
    ['docker://169.254.169.254/a/b', /so it is not fetched/],
  ])('is refused as %s', async (uri, message) => {
    await expect(bench.build(source, { change: project(group(uri)) })).rejects.toThrow(message);
  });
});

describe('an image that is no good buildpack is refused', () => {
  const refused = async (push: () => Promise<unknown>, message: RegExp) => {
    await push();
    await expect(bench.build(source, { buildpacks: [image('bad:1')] })).rejects.toThrow(message);
  };
  const bad = async (
    labels: Record<string, unknown>,
    buildpacks: readonly [PackagedBuildpack, ...PackagedBuildpack[]] = [web],
  ) => await pushBuildpackage(host, ['bad', '1'], buildpacks, labels);
  const own = 'io.buildpacks.buildpackage.metadata';
  const parts = 'io.buildpacks.buildpack.layers';
  const layerDiffID = `sha256:${'1'.repeat(64)}`;

  it.each([
    ['without labels', { [own]: undefined }, /holds no buildpack.*use git:from-image/],
    ['that is a builder', { [own]: undefined, 'io.buildpacks.builder.metadata': {} }, /is a builder/],
    ['with labels that do not parse', { [own]: '{' }, /JSON that cannot be read/],
    ['with labels of another form', { [parts]: { 'team/web': 1 } }, /cannot be read: team\/web/],
    ['whose id leads elsewhere', { [own]: { id: '../../etc', version: '1' } }, /lacks its buildpack/],
    ['whose version leads elsewhere', { [own]: { id: 'x', version: '../..' } }, /cannot be read: version/],
    [
      'whose layer is not there',
      { [parts]: { 'team/web': { '2.0.0': { layerDiffID } } } },
      /is not what its digest says/,
    ],
  ])('%s', async (_, labels, message) => {
    await refused(async () => await bad(labels), message);
  });

  it('whose folders are links to the host', async () => {
    const push = async () => {
      const layer = await tarOf([{ name: 'cnb/buildpacks', type: 'symlink', linkname: '/usr' }]);
      const digest = sha256(layer);
      host.push('bad', '1', {
        layers: [layer],
        config: {
          Labels: {
            [own]: JSON.stringify({ id: 'lib', version: 'x' }),
            [parts]: JSON.stringify({ lib: { x: { layerDiffID: digest } } }),
          },
        },
      });
    };
    await refused(push, /lacks its folder "\/cnb\/buildpacks\/lib\/x"/);
  });

  it('whose descriptor is a link to the host', async () => {
    const home = 'cnb/buildpacks/a_b/1.0.0';
    const more = [{ name: `${home}/buildpack.toml`, type: 'symlink', linkname: '/etc/passwd' } as const];
    await refused(async () => await bad({}, [{ id: 'a/b', version: '1.0.0', more }]), /buildpack.toml/);
  });

  it('that names a part which it does not bring', async () => {
    const composite = { id: 'a/b', version: '1.0.0', toml: order('a/none@1.0.0') };
    await refused(async () => await bad({}, [composite]), /a\/none/);
  });

  it('and does not hold the app: the next push takes the one that is put right', async () => {
    const app = parseAppName('righted');
    const buildpacks = [image('bad:1')];
    await bad({}, [{ id: 'a/b', version: '1.0.0', toml: order('a/none@1.0.0') }]);
    await expect(bench.build(source, { app, buildpacks })).rejects.toThrow('a/none');
    await pushBuildpackage(host, ['bad', '1'], shop('1.0.0', 'right'));
    expect(builtBy((await bench.build(source, { app, buildpacks })).image.labels)).toContain(
      'team/web@2.0.0',
    );
  });

  it('and nothing of it stays', () => {
    const home = join(bench.paths.cache, 'buildpacks');
    const left = existsSync(home) ? readdirSync(home).filter(name => name.startsWith('fetch-')) : [];
    expect(left).toEqual([]);
  });
});

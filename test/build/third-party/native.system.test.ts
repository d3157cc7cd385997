import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { type Files, writeFiles } from '../support/buildpack-host.ts';
import { outputOf } from '../support/output-of.ts';
import { deliverBuildpacks } from '../support/third-party.ts';

// Cloud Native Buildpacks as others write them, unmodified. Those of vendors are out of reach of tests; these stand in for them
// and are written the way they are: in Python, in Bash, as one compiled program, and made of others.

let delivered: Awaited<ReturnType<typeof deliverBuildpacks>>;
let bench: BuildBench;
let empty: string;

beforeAll(async () => {
  empty = mkdtempSync(join(tmpdir(), 'wherry-empty-'));
  delivered = await deliverBuildpacks(['cpython', 'pyapp', 'bashtool', 'native', 'suite']);
  bench = await openBench({ buildpacksDir: delivered.dir, order: [[{ id: 'acme/suite' }]] });
});
afterAll(async () => {
  await bench?.close();
  delivered?.remove();
  rmSync(empty, { recursive: true, force: true });
});

const app = (name: string) => parseAppName(name);
const source = (files: Files) => (dir: string) => writeFiles(dir, files);
/** The text that a process of type web answers with. */
async function answer(image: Parameters<BuildBench['run']>[0], env: Record<string, string> = {}) {
  let text = '';
  await bench.run(
    image,
    'web',
    async base => {
      text = await (await fetchSoon(base)).text();
    },
    env,
  );
  return text;
}

const python = {
  'main.py': `import http.server, os, sys
import greeting
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{greeting.text()}, {os.environ['GREETING']}, {os.environ['PYTHONUNBUFFERED']}, {sys.argv[1:]}".encode())
http.server.HTTPServer(("", int(sys.argv[2])), Handler).serve_forever()
`,
  'vendor/greeting.py': 'def text():\n    return "hello from Python"\n',
};

describe('a buildpack in Python at API 0.12, run by the interpreter of another one', () => {
  const build = async (files: Files = {}) =>
    await bench.build(empty, {
      app: app('python'),
      config: { TOKEN: 'a token\n' },
      change: source({ ...python, ...files }),
    });

  it('builds an app that runs, with dependencies, environment by process type and a process with a dot', async () => {
    const { image, output } = await build();
    const said = output.map(line => line.trim());
    for (const line of [
      '-----> Installing CPython',
      'CNB_TARGET_OS=linux',
      'CNB_TARGET_DISTRO_NAME=debian',
      'CNB_EXEC_ENV=production',
      'config is there',
      'Installing dependencies',
      'Build 1',
    ]) {
      expect(said).toContain(line);
    }
    expect(said).toContainEqual(expect.stringMatching(/^Python 3\.\d+\.\d+ for 0 plan entries$/));
    expect(image.processes.map(({ type }) => type)).toEqual(['jobs.nightly', 'web']);
    expect(image.labels['org.example.language']).toBe('python');
    expect(await answer(image)).toBe("hello from Python, from the web process, 1, ['--port', '5000']");
    expect(await outputOf(bench, image, { type: 'jobs.nightly' })).toBe('hello from Python\n');
  });

  it('gets its interpreter, dependencies and store back, and changes only the layers that changed', async () => {
    const before = await build();
    const after = await build({ 'main.py': `# changed\n${python['main.py']}` });
    const said = after.output.map(line => line.trim());
    expect(said).toEqual(
      expect.arrayContaining(['-----> Reusing cached CPython', 'Reusing dependencies', 'Build 2']),
    );
    expect(after.image.layers.filter(layer => !before.image.layers.includes(layer))).toHaveLength(1);
  });
});

const tool = {
  'tool.sh': `#!/usr/bin/env bash
if [[ $1 == show ]]; then printf '%s|' "$2" "$POOL_SIZE" "$QUOTED" "$ESCAPED" "\${ROLE-no role}" "\${FROM_PROFILE-no profile}"; exit; fi
exec perl -MIO::Socket::INET -e '
  my $server = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 9, ReuseAddr => 1) or die;
  while (my $client = $server->accept) {
    while (<$client>) { last if /^\\r?$/ }
    print $client "HTTP/1.0 200 OK\\r\\n\\r\\n$ENV{ROLE}, $ENV{QUOTED}, $ENV{ESCAPED}"; close $client;
  }' "$2"
`,
  'native.conf': '',
  'public/index.html': '',
};
const withTool = (files: Files) => (dir: string) => {
  writeFiles(dir, { ...files, 'tool.sh': tool['tool.sh'] });
  chmodSync(join(dir, 'tool.sh'), 0o755);
};

describe('a buildpack that is one compiled program, with links to it', () => {
  it('builds an app whose programs of exec.d and whose server are links, too', async () => {
    const { image, output } = await bench.build(empty, {
      app: app('native'),
      config: { NATIVE_FLAGS: 'build' },
      change: source({ 'native.conf': '', 'public/index.html': '' }),
    });
    expect(output).toContainEqual(expect.stringMatching(/^native: for linux\/(amd64|arm64), debian 12$/));
    expect(await answer(image, { MEMORY_AVAILABLE: '256', NATIVE_FLAGS: '-v' })).toMatch(
      /^heap 128, flags -v -x, in \/workspace\/public, pid \d+\n$/,
    );
    expect(await answer(image)).toMatch(/^heap 64, flags -x, in /);
  });
});

describe('a buildpack in Bash that reads TOML by itself', () => {
  const build = async (config: Record<string, string>) =>
    await bench.build(empty, { app: app('bash'), config, change: withTool(tool) });

  it('builds beside another one, is told config by files alone, and sets environment by exec.d', async () => {
    const { image, output } = await build({ BASH_TOOL_TOKEN: 'not for the environment' });
    expect(output).toContain('---> Layer tool, "made by bash", 1 plan entry');
    expect(await answer(image, { MEMORY_AVAILABLE: '640' })).toBe('serves with 10, a "b" c, tab\tend');
    const shown = await outputOf(bench, image, { type: 'show', env: { DYNO: 'show.1' } });
    expect(shown).toBe('made by bash|8|a "b" c|tab\tend|no role|no profile|');
  });

  it('may say that it takes no part', async () => {
    const { image } = await build({ BASH_TOOL_SKIP: '1' });
    const built = JSON.parse(image.labels['io.buildpacks.build.metadata'] ?? '').buildpacks;
    expect(built.map(({ id }: { id: string }) => id)).toEqual(['acme/native']);
  });
});

describe('a buildpack that is made of others', () => {
  it('goes on to its next group, and says which took part and at which versions', async () => {
    const { image } = await bench.build(empty, {
      app: app('suite'),
      config: { TOKEN: 'x' },
      change: withTool(python),
    });
    const built = JSON.parse(image.labels['io.buildpacks.build.metadata'] ?? '').buildpacks;
    expect(built).toMatchObject([
      { id: 'acme/cpython', version: '1.4.0-rc.2', homepage: 'https://example.org/cpython' },
      { id: 'acme/bash-tool', version: '2.0', api: '0.9' },
      { id: 'acme/pyapp', version: '0.3.1', api: '0.12' },
    ]);
    expect(await answer(image)).toContain('hello from Python');
  });

  it('is refused where none of its groups knows the app', async () => {
    const build = bench.build(empty, { app: app('none'), change: source({ 'README.md': '' }) });
    await expect(build).rejects.toThrow('No buildpack can build this');
  });
});

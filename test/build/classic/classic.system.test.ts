import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../../src/domain/names.ts';
import { exec } from '../../../src/system/exec.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { type BuildpackHost, openBuildpackHost, writeFiles } from '../support/buildpack-host.ts';

// Buildpacks of Heroku's classic kind, from git repositories and archives of a host on loopback that stands in for the Internet.

let bench: BuildBench;
let host: BuildpackHost;
let root: string;
let empty: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-classic-'));
  empty = join(root, 'empty');
  mkdirSync(empty);
  host = await openBuildpackHost(join(root, 'host'));
  bench = await openBench({ allowHosts: host.host });
});
afterAll(async () => {
  await bench?.close();
  await host?.close();
  rmSync(root, { recursive: true, force: true });
});

const bash = (script: string) => `#!/usr/bin/env bash\nset -eu\n${script}\n`;
const app = (name: string) => parseAppName(name);

/** Serves what its compile found, by Perl, which the stack has. */
const perlPack = {
  'bin/detect': bash('test -f "$1/hello.txt" || exit 1; echo Hello'),
  'bin/compile': bash(`
    echo "-----> Compiling in $(pwd), HOME=$HOME, STACK=$STACK, version $SOURCE_VERSION"
    test "$1" = /app
    echo "       \${TOKEN:+leaked}\${GIT_DIR:+leaked}config: $(ls "$3" | tr '\\n' ' ')"
    runs=$(($(cat "$2/runs" 2>/dev/null || echo 0) + 1))
    echo "$runs" > "$2/runs"
    mkdir -p "$1/.profile.d" "$1/build"
    cp "$1/hello.txt" "$1/build/page"
    echo "run $runs, token $(cat "$3/TOKEN" 2>/dev/null || echo none)" > "$1/build/notes"
    echo 'export FROM_PROFILE_D="one two" ORDER="\${ORDER-}b"' > "$1/.profile.d/b.sh"
    echo 'export ORDER="\${ORDER-}a"; set -- lost' > "$1/.profile.d/a.sh"
    cp "$(dirname "$0")/../lib/serve.pl" "$1/serve.pl"
    echo "export MADE_BY_FIRST=yes" > "$(dirname "$0")/../export"`),
  'bin/release': bash(`
    echo "noise" >&2
    printf -- '---\\naddons: []\\ndefault_process_types:\\n  web: perl serve.pl # plain\\n  clock: "echo tick"\\nconfig_vars:\\n  GREETING: hi\\n'`),
  'bin/report': bash('echo never shown; exit 1'),
  'lib/serve.pl': `use IO::Socket::INET;
    my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 10, ReuseAddr => 1) or die;
    while (my $client = $server->accept) {
      while (<$client>) { last if /^\\r?$/ }
      open(my $page, '<', 'build/page'); open(my $notes, '<', 'build/notes');
      my $text = join('|', map { chomp; $_ } <$page>, <$notes>, map { $ENV{$_} // '' } qw(FROM_PROFILE_D ORDER HOME STACK GREETING DOT PWD));
      print $client "HTTP/1.0 200 OK\\r\\n\\r\\n$text|uid $<"; close $client;
    }`,
};

const source =
  (more: Record<string, string> = {}) =>
  (dir: string) =>
    writeFiles(dir, { 'hello.txt': 'hello', '.profile': 'export DOT=profile\n', ...more });

describe('an app with a classic buildpack by git URL', () => {
  const at = () => [`${host.url}/smart/perl.git`];

  it('H1 H2 H3 H4 H5 H10 H11 builds in /app, and runs there with what .profile.d and .profile set', async () => {
    const commit = await host.commit('perl', perlPack);
    const { image, output } = await bench.build(empty, {
      app: app('perl'),
      buildpacks: at(),
      config: { TOKEN: 's3cret-token' },
      change: source(),
    });
    const said = output.join('\n');
    expect(said).toContain(`Commit ${commit}`);
    expect(said).toContain('Hello app detected');
    expect(said).toContain(`-----> Compiling in /app, HOME=/app, STACK=wherry-12, version ${'0'.repeat(40)}`);
    expect(said).toContain('config: TOKEN');
    expect(said).not.toMatch(/leaked|never shown|noise|s3cret/);
    expect(image.processes.map(({ type }) => type)).toEqual(['clock', 'web']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe(
        'hello|run 1, token s3cret-token|one two|ab|/app|wherry-12|hi|profile|/app|uid 1000',
      );
    });
  });

  it('H8 H9 fetches nothing on the next push, keeps the cache folder, and takes the newest on a rebuild', async () => {
    const asked = host.requests.length;
    await host.commit('perl', { ...perlPack, 'bin/detect': bash('echo Newer') });
    const options = { app: app('perl'), buildpacks: at() };
    const second = await bench.build(empty, { ...options, change: source({ 'hello.txt': 'changed' }) });
    expect(host.requests.length).toBe(asked);
    expect(second.output.join('\n')).toContain('Building again: source or config changed');
    await bench.run(second.image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toMatch(/^changed\|run 2, token none/);
    });
    // The last build's layers and its cache folder are kept though no release names them.
    await bench.builder.collect([]);
    const same = await bench.build(empty, { ...options, change: source({ 'hello.txt': 'changed' }) });
    expect([same.sandboxes, same.image.id]).toEqual([0, second.image.id]);
    expect(host.requests.length).toBe(asked);
    const fresh = await bench.build(empty, { ...options, fresh: true, change: source() });
    expect(fresh.output.join('\n')).toContain('Newer app detected');
  });

  it('H9 keeps the last cache folder when a build fails', async () => {
    const build = async (hello: string) =>
      await bench.build(empty, {
        app: app('cached'),
        buildpacks: at(),
        change: source({ 'hello.txt': hello }),
      });
    await host.commit('perl', perlPack);
    await build('one');
    const failing = `echo broken > "$2/runs"; echo gone wrong; exit 7`;
    await host.commit('failing', { ...perlPack, 'bin/compile': bash(failing) });
    const failed = bench.build(empty, {
      app: app('cached'),
      buildpacks: [`${host.url}/smart/failing.git`],
      change: source(),
    });
    await expect(failed).rejects.toThrow(/bin\/compile of buildpack .*failing\.git ended with exit status 7/);
    const { image } = await build('two');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toMatch(/^two\|run 2/);
    });
    expect(readdirSync(join(bench.paths.builds, 'cached')).filter(name => name.startsWith('work-'))).toEqual(
      [],
    );
  });

  it('H3 keeps config out of layers and records unless the buildpack writes it', async () => {
    await host.commit('careful', {
      ...perlPack,
      'bin/compile': bash('cp "$1/hello.txt" "$2/"; cat "$3/TOKEN" > /dev/null'),
    });
    const secret = 'correct-horse-battery-staple';
    await bench.build(empty, {
      app: app('careful'),
      buildpacks: [`${host.url}/smart/careful.git`],
      config: { TOKEN: secret },
      change: source(),
    });
    const found = await exec('grep', ['-rlF', secret, bench.paths.data]).catch(error => error);
    expect(found.stdout).toBe('');
  });
});

describe('several classic buildpacks', () => {
  const second = {
    'bin/detect': bash('echo Second'),
    'bin/compile': bash(
      'echo "first says ${MADE_BY_FIRST-nothing}, third ${MADE_BY_THIRD-nothing}"; rm -f "$1/build/notes"; echo "from second" > "$1/build/notes"',
    ),
    'bin/release': bash('echo "--- {}"'),
  };

  it('H6 H7 H12 H14 run in order, each with the exports of those before, and the Procfile counts first', async () => {
    await host.commit('perl', perlPack);
    const archive = await host.archive('second.tgz', second, 'second-1.2');
    const { image, output } = await bench.build(empty, {
      app: app('several'),
      change: source({
        '.buildpacks': `# two\r\n${host.url}/smart/perl.git#main\r\n\r\n${archive}\r\n`,
        Procfile: 'web: echo Procfile counts && perl serve.pl\nrelease: true\n',
        '.slugignore': '*.md\n/docs\n',
        'README.md': 'x',
        'docs/page.txt': 'x',
        'build/old': 'x',
      }),
    });
    expect(output.join('\n')).toContain('first says yes, third nothing');
    expect(image.processes.map(({ type, command }) => [type, command[2]])).toEqual([
      ['release', 'true'],
      ['web', 'echo Procfile counts && perl serve.pl'],
    ]);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toMatch(/^hello\|from second\|/);
    });
    const folders = image.layers.map(layer => join(bench.layers.layerPath(layer), 'app')).filter(existsSync);
    const names = folders.flatMap(dir => readdirSync(dir, { recursive: true, encoding: 'utf8' }));
    expect(names).toContain('hello.txt');
    expect(names).not.toContain('README.md');
    expect(names.some(name => name.startsWith('docs'))).toBe(false);
  });

  it('H1 H7 stop at one that does not know the app', async () => {
    await host.commit('picky', { ...second, 'bin/detect': bash('echo looking; exit 1') });
    const build = bench.build(empty, {
      app: app('picky'),
      buildpacks: [`${host.url}/smart/picky.git`],
      change: source(),
    });
    await expect(build).rejects.toThrow(
      /picky\.git does not know this app: its bin\/detect ended with exit status 1/,
    );
  });

  it('H7 come from BUILDPACK_URL too', async () => {
    await host.commit('perl', perlPack);
    const { output } = await bench.build(empty, {
      app: app('by-config'),
      config: { BUILDPACK_URL: `${host.url}/dumb/perl.git`, STACK: 'heroku-24' },
      change: source(),
    });
    expect(output.join('\n')).toContain('STACK=heroku-24');
  });
});

describe('a classic buildpack that means harm', () => {
  const build = async (
    compile: string,
    more: { release?: string; detect?: string; limits?: { time?: number } } = {},
  ) => {
    const files = {
      'bin/detect': bash(more.detect ?? 'echo Bad'),
      'bin/compile': bash(compile),
      'bin/release': bash(more.release ?? 'echo "--- {}"'),
    };
    await host.commit('bad', files);
    const { time } = more.limits ?? {};
    return await bench.build(empty, {
      app: app('bad'),
      fresh: true,
      buildpacks: [`${host.url}/smart/bad.git`],
      change: source({ Procfile: 'web: true\n' }),
      ...(time === undefined ? {} : { limits: { time } }),
    });
  };

  it('H6 changes neither its own copy for others, nor the source layer', async () => {
    const attack =
      'rm -rf "$1"/hello.txt "$(dirname "$0")"/../bin/release; echo evil > "$(dirname "$0")/detect"; (sleep 300 &)';
    const first = await build(attack).catch(error => error);
    expect(String(first)).not.toContain('evil');
    const { output } = await build(
      'ls -l "$(dirname "$0")"; cat "$(dirname "$0")/detect"; cat "$1/hello.txt"',
    );
    expect(output.join('\n')).not.toContain('evil');
    expect(output).toContain('hello');
  });

  it.each([
    [
      'a release that is no YAML',
      'true',
      { release: 'echo "web: [x"; echo "default_process_types: [a]"' },
      /bin\/release .* cannot be read, line 2/,
    ],
    [
      'a release that fails',
      'true',
      { release: 'exit 3' },
      /bin\/release of buildpack .* ended with exit status 3/,
    ],
    [
      'a bad process type',
      'true',
      { release: 'echo "default_process_types:"; echo "  ../x: y"' },
      /cannot be read|not valid/,
    ],
    ['a Procfile that is a link', 'ln -sf /etc/passwd "$1/Procfile"', {}, /Procfile is a symbolic link/],
    [
      'a Procfile that is a folder',
      'rm "$1/Procfile"; mkdir "$1/Procfile"',
      {},
      /Procfile is not a plain file/,
    ],
    ['a compile that hangs', 'sleep 100', { limits: { time: 2000 } }, /time limit of 2s/],
  ])('H2 H4 is stopped: %s', async (_what, compile, more, message) => {
    await expect(build(compile, more)).rejects.toThrow(message);
    expect(readdirSync(join(bench.paths.builds, 'bad')).filter(name => name.startsWith('work-'))).toEqual([]);
  });

  it('finds no root, no host and no other buildpack to write to', async () => {
    const { output } = await build(
      'id -u; for file in /etc/x /platform/env/x /buildpacks/x /x; do (echo x > $file) 2>/dev/null && echo wrote; done; true',
    );
    expect(output).toContain('1000');
    expect(output).not.toContain('wrote');
  });
});

describe('what is no buildpack', () => {
  it.each([
    ['without anything', { README: 'x' }],
    ['without bin/detect', { 'bin/compile': bash('true') }],
  ])('is refused, naming it: %s', async (_what, files) => {
    const name = `none-${Object.keys(files).length}-${_what.length}`;
    await host.commit(name, files as Record<string, string>);
    const build = bench.build(empty, {
      app: app('none'),
      buildpacks: [`${host.url}/smart/${name}.git`],
      change: source(),
    });
    await expect(build).rejects.toThrow(/none-.*\.git holds no buildpack/);
  });

  it('is a program that cannot be run', async () => {
    const url = await host.archive('plain.tgz', {
      'lib/x': 'x',
      'bin/detect': bash('echo x'),
      'bin/compile': 'not a program',
    });
    const build = bench.build(empty, { app: app('none'), buildpacks: [url], change: source() });
    await expect(build).rejects.toThrow(/bin\/compile of buildpack .* ended with exit status/);
  });
});

describe('buildpacks of others that are Cloud Native', () => {
  const native = {
    'buildpack.toml': 'api = "0.10"\n[buildpack]\nid = "acme/page"\nversion = "1.0.0"\n',
    'bin/detect': bash('test -f hello.txt || exit 100'),
    'bin/build': bash(
      'mkdir -p "$CNB_LAYERS_DIR/tool/bin"; echo built by acme\nprintf "[types]\\nlaunch = true\\n" > "$CNB_LAYERS_DIR/tool.toml"\nprintf \'[[processes]]\\ntype = "job"\\ncommand = ["true"]\\n\' > "$CNB_LAYERS_DIR/launch.toml"',
    ),
  };

  it('build by the same kinds of URL, held at their commit, together with a Procfile', async () => {
    await host.commit('native', native);
    const options = { app: app('native'), buildpacks: [`${host.url}/smart/native.git`] };
    const change = source({ Procfile: 'web: sleep 100\n' });
    const { image, output } = await bench.build(empty, { ...options, change });
    expect(output.join('\n')).toContain('built by acme');
    expect(image.processes.map(({ type }) => type)).toEqual(['job', 'web']);
    const asked = host.requests.length;
    expect((await bench.build(empty, { ...options, change })).sandboxes).toBe(0);
    expect(host.requests.length).toBe(asked);
  });

  it('may be some of ours: then no other is tried', async () => {
    const { image, output } = await bench.build(empty, {
      app: app('chosen'),
      buildpacks: ['wherry/procfile'],
      change: source({ Procfile: 'web: sleep 100\n', 'index.html': 'x', 'package.json': '{}' }),
    });
    expect(image.processes.map(({ type }) => type)).toEqual(['web']);
    expect(output.join('\n')).not.toMatch(/npm|Node|lighttpd/);
  });

  it('are not mixed with classic ones', async () => {
    await host.commit('native', native);
    await host.commit('perl', perlPack);
    const buildpacks = [`${host.url}/smart/perl.git`, `${host.url}/smart/native.git`];
    await expect(bench.build(empty, { app: app('mixed'), buildpacks, change: source() })).rejects.toThrow(
      /perl\.git is one of Heroku's classic kind and .*native\.git a Cloud Native one, which cannot be mixed/,
    );
  });
});

describe('what an app names itself', () => {
  it.each([
    ['a folder of the host', '/etc', /a folder of this host, which an operator alone may choose/],
    ['a file URL', 'file:///etc', /fetched by file, which is not supported/],
    ['an ext:: URL', 'ext::sh', /is no URL|not supported/],
    ['a host inside', 'https://169.254.169.254/a/b', /inside this network, so it is not fetched/],
    ['an unknown one of ours', 'wherry/none', /There is no buildpack wherry\/none\. Wherry's own are: /],
  ])('is refused when it is %s', async (_what, text, message) => {
    const before = bench.sandboxes.length;
    const build = bench.build(empty, { app: app('named'), change: source({ '.buildpacks': text }) });
    await expect(build).rejects.toThrow(message);
    expect(bench.sandboxes.length).toBe(before);
  });
});

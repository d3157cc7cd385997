import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildpackHost, openBuildpackHost } from '../build/support/buildpack-host.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// A classic buildpack from a git host on loopback, which stands in for one on the Internet.
describe('an app with a buildpack of its own', () => {
  let wherry: Wherry;
  let host: BuildpackHost;
  let root: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'wherry-host-'));
    host = await openBuildpackHost(root);
    wherry = await startWherry({ env: { WHERRY_ALLOW_HOSTS: host.host } });
  });
  afterAll(async () => {
    await wherry?.stop();
    await host?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const bash = (script: string) => `#!/bin/bash\nset -eu\n${script}\n`;
  const serve = (name: string) => `use IO::Socket::INET;
    my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 10, ReuseAddr => 1) or die;
    while (my $client = $server->accept) {
      while (<$client>) { last if /^\\r?$/ }
      open(my $page, '<', 'page.txt');
      print $client "HTTP/1.0 200 OK\\r\\n\\r\\n$ENV{GREETING} from ${name}: " . <$page>; close $client;
    }`;
  const pack = (name: string) => ({
    'bin/detect': bash('test -f "$1/page.txt"; echo Page'),
    'bin/compile': bash(
      'mkdir -p "$1/.profile.d"; echo "export GREETING=hello" > "$1/.profile.d/page.sh"; cp "$(dirname "$0")/../serve.pl" "$1/"',
    ),
    'bin/release': bash('echo "default_process_types:"; echo "  web: perl serve.pl"'),
    'serve.pl': serve(name),
  });

  it('is built by it and runs; a second push fetches nothing, a rebuild what is newest', async () => {
    await host.commit('page', pack('one'));
    expect((await wherry.ssh('apps:create', 'paged')).code).toBe(0);
    const set = await wherry.ssh('buildpacks:set', 'paged', `${host.url}/smart/page.git`);
    expect(set.code, set.output).toBe(0);
    const repository = await wherry.repository('paged', { files: { 'page.txt': 'first' } });
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect(pushed.stderr).toContain('Page app detected');
    expect((await wherry.get('paged')).text).toBe('hello from one: first');

    const asked = host.requests.length;
    await host.commit('page', pack('two'));
    repository.write({ 'page.txt': 'second' });
    await repository.commit('Second');
    expect((await repository.push()).code).toBe(0);
    expect((await wherry.get('paged')).text).toBe('hello from one: second');
    expect(host.requests.length).toBe(asked);
    expect((await wherry.ssh('buildpacks:detect', 'paged')).stdout).toContain(`${host.url}/smart/page.git`);

    const rebuilt = await wherry.ssh('ps:rebuild', 'paged');
    expect(rebuilt.code, rebuilt.output).toBe(0);
    expect((await wherry.get('paged')).text).toBe('hello from two: second');
  });

  it('is refused a buildpack inside the network that its repository names', async () => {
    const files = { 'page.txt': 'x', '.buildpacks': 'https://169.254.169.254/latest/meta-data\n' };
    const pushed = await (await wherry.repository('nosy', { files })).push();
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('leads to an address inside this network, so it is not fetched');
  });
});

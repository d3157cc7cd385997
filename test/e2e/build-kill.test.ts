import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultPoint, faultPoints } from '../../src/domain/fault.ts';
import type { Repository } from '../support/git.ts';
import { strayLayers, strays } from '../support/invariants.ts';
import { leftovers } from '../support/leftovers.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// A daemon that is killed at each point of a push: what ran before serves on, nothing stray stays, the next push is right.

const points = (Object.keys(faultPoints) as FaultPoint[]).filter(point =>
  /^(receive|build|release|deploy):/.test(point),
);
const isAfter = (point: FaultPoint, other: FaultPoint) => points.indexOf(point) >= points.indexOf(other);

let wherry: Wherry;
let repository: Repository;
let version = 0;

beforeAll(async () => {
  wherry = await startWherry();
  repository = await wherry.repository('app', { files: { ...app, 'greeting.txt': 'version 0' } });
  const pushed = await repository.push();
  expect(pushed.code, pushed.output).toBe(0);
  expect(await greeting()).toBe('version 0');
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

describe('a daemon that is killed at a point of a push', () => {
  it.each(points)('%s: serves on, comes back without strays, and takes the next push', async point => {
    const [before, after] = [`version ${version}`, `version ${++version}`];
    await restart(point);
    await change(after);
    expect((await repository.push()).code).not.toBe(0);
    await wherry.ended();
    expect(await greeting()).toBe(isAfter(point, 'deploy:switched') ? after : before);

    await wherry.start();
    await expect.poll(greeting).toBe(isAfter(point, 'deploy:committed') ? after : before);
    await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);

    await expectRight(after);
  });
});

describe('a daemon that is stopped at a point of a push', () => {
  it('leaves visitors alone, and goes on where it was', async () => {
    const [before, after] = [`version ${version}`, `version ${++version}`];
    await restart('build:layers:stop');
    await change(after);
    const pushing = repository.push();
    await until('the daemon to be stopped', () => stateOf(wherry.daemonPid()) === 'T');
    expect(await greeting()).toBe(before);
    process.kill(wherry.daemonPid(), 'SIGCONT');
    expect((await pushing).code).toBe(0);
    await expectRight(after);
  });
});

describe('a build of which one process is killed', () => {
  it.each([
    ['the first of its container', /init -P .*_sandboxes/, /killed from outside, at none of its limits/],
    ['the step itself', /sleep 60.*_sandboxes/, /buildpack test\/greeting (was killed|ended with)/],
    ['what runs the step', /runc --root=\S+ exec /, /buildpack test\/greeting was killed/],
  ])('%s: is told, leaves nothing, and the next push is right', async (_name, which, told) => {
    const [before, after] = [`version ${version}`, `version ${++version}`];
    repository.write({ 'pause.txt': 'yes' });
    await change(after);
    const pushing = repository.push();
    await until('the build to pause', () => findProcess(/sleep 60.*_sandboxes/));
    process.kill(await until('the process', () => findProcess(which)), 'SIGKILL');
    const { code, output } = await pushing;
    expect(code, output).not.toBe(0);
    expect(output).toMatch(told);
    expect(await greeting()).toBe(before);
    await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
    repository.write({ 'pause.txt': '' });
    await change(after);
    await expectRight(after);
  });
});

/** The commit that is there is what runs after a push, and nothing else is left. */
async function expectRight(text: string): Promise<void> {
  const pushed = await repository.push();
  expect(pushed.code, pushed.output).toBe(0);
  expect(await greeting()).toBe(text);
  await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
  await expect.poll(() => strayLayers(wherry.data), { timeout: 20_000 }).toEqual([]);
}

/** Pid of the process of this Wherry whose command line and cgroups match. */
async function findProcess(which: RegExp): Promise<number | undefined> {
  const found = (await leftovers(wherry.data)).find(line => line.startsWith('process: ') && which.test(line));
  return found === undefined ? undefined : Number(found.split(' ')[1]);
}

const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0];

async function restart(fault?: string): Promise<void> {
  await wherry.kill();
  await wherry.start(fault);
}

async function change(text: string): Promise<void> {
  repository.write({ 'greeting.txt': text });
  await repository.commit(text);
}

const greeting = async () => (await wherry.get('app')).text.trim();

/** A layer of the build's own, something it writes into the app, a release process, and a server of a few lines. */
const app = {
  Procfile: 'release: test -s built.txt\n',
  'project.toml': `[_]
schema-version = "0.2"
[[io.buildpacks.group]]
id = "test/greeting"
[io.buildpacks.group.script]
api = "0.10"
shell = "/bin/bash"
inline = '''
set -e
mkdir -p "$CNB_LAYERS_DIR/greeting"
cp greeting.txt "$CNB_LAYERS_DIR/greeting/"
cp greeting.txt built.txt
if [[ -s pause.txt ]]; then sleep 60; fi
printf '[types]\\nlaunch = true\\ncache = true\\n' > "$CNB_LAYERS_DIR/greeting.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["perl", "serve.pl", "%s/greeting/greeting.txt"]\\n' "$CNB_LAYERS_DIR" > "$CNB_LAYERS_DIR/launch.toml"
'''
[[io.buildpacks.group]]
id = "wherry/procfile"
`,
  'serve.pl': `use Socket;
open(my $file, '<', $ARGV[0]) or die; my $text = <$file>;
open(my $built, '<', 'built.txt') or die; $text eq <$built> or die;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in($ENV{PORT}, INADDR_ANY)) or die;
listen($server, 16) or die;
while (accept(my $client, $server)) {
    while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
    print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($text) . "\\r\\nConnection: close\\r\\n\\r\\n$text";
    close $client;
}
`,
};

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';
import { parseProcfile } from '../../src/build/procfile.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type Bench, createBench } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'wherry-reach-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const shared = join(root, 'shared');
mkdirSync(shared);
const file = join(root, 'config.env');
writeFileSync(file, 'A=1\n');

/** Each may what those before it may. */
const people = {
  'a deployer of the app': { name: 'dora', via: 'ssh' },
  'an admin of the app': { name: 'adam', via: 'ssh' },
  'an admin of all': { name: 'alma', via: 'ssh' },
  'an owner': { name: 'ann', via: 'ssh' },
  'whoever has the host': { name: 'local', via: 'local' },
} as const satisfies Record<string, Actor>;
type Person = keyof typeof people;

/**
 * What reaches out of an app's own container, and who may have it at least. A new way out needs its row: what is of the host is an
 * owner's or of whoever has the host; what is shared with other apps, an admin's of all; nothing of it is a repository's.
 */
const rows: readonly (readonly [string, Person | 'nobody', readonly string[]])[] = [
  ['storage by name', 'an admin of all', ['storage:mount', 'blog', 'uploads:/data']],
  ['a folder of the host', 'an owner', ['storage:mount', 'blog', `${shared}:/data`]],
  ['a folder of the host, to read', 'an owner', ['storage:mount', 'blog', `${shared}:/data:ro`]],
  ['the whole host', 'nobody', ['storage:mount', 'blog', '/:/host']],
  ['secrets of the host', 'nobody', ['storage:mount', 'blog', '/etc:/host']],
  ['a socket of the host', 'nobody', ['storage:mount', 'blog', '/var/run/docker.sock:/x']],
  ['a folder by dots', 'nobody', ['storage:mount', 'blog', '/srv/../etc:/host']],
  ['storage as an option', 'an admin of all', option('-v uploads:/data')],
  ['storage as another option', 'an admin of all', option('--mount type=volume,source=uploads,target=/data')],
  ['a folder of the host as an option', 'nobody', option(`-v ${shared}:/data`)],
  ['the same as another option', 'nobody', option(`--mount type=bind,source=${shared},target=/data`)],
  ['a socket as an option', 'nobody', option('--volume=/var/run/docker.sock:/x')],
  ['the mounts of another', 'nobody', option('--volumes-from shop')],
  ['a network', 'an admin of all', ['network:attach', 'blog', 'backend']],
  ['a network as a setting', 'an admin of all', ['network:set', 'blog', 'attach-post-create', 'backend']],
  ['a network as an option', 'an admin of all', option('--network backend')],
  ["the host's network", 'nobody', option('--network host')],
  ["the host's network, written otherwise", 'nobody', option('--net=host')],
  ["another's network", 'nobody', option('--network=container:shop')],
  ['all rights', 'nobody', option('--privileged')],
  ['all rights, written otherwise', 'nobody', option('--privileged=true')],
  ['a capability', 'nobody', option('--cap-add SYS_ADMIN')],
  ['no seccomp filter', 'nobody', option('--security-opt seccomp=unconfined')],
  ['a device', 'nobody', option('--device /dev/kvm')],
  ['a graphics card', 'nobody', option('--gpus all')],
  ['processes of the host', 'nobody', option('--pid host')],
  ["the host's memory", 'nobody', option('--ipc=host')],
  ['users of the host', 'nobody', option('--userns=host')],
  ['a control group', 'nobody', option('--cgroup-parent /')],
  ['a setting of the kernel', 'nobody', option('--sysctl kernel.msgmax=1')],
  ['another runtime', 'nobody', option('--runtime other')],
  ['root', 'nobody', option('--user 0')],
  ['root by name', 'nobody', option('--user root')],
  ['a port of the host past the edge', 'nobody', option('-p 80:80')],
  ['a build of the same', 'nobody', ['docker-options:add', 'blog', 'build', '--network=host']],
  ['a build with rights', 'nobody', ['docker-options:add', 'blog', 'build', '--allow', 'security.insecure']],
  ["a build with the host's keys", 'nobody', ['docker-options:add', 'blog', 'build', '--ssh', 'default']],
  ['a buildpack of the host', 'whoever has the host', ['buildpacks:set', 'blog', shared]],
  ['a file of the host', 'whoever has the host', ['config:import', '--no-restart', 'blog', file]],
  ['a program of the host', 'whoever has the host', ['letsencrypt:set', 'blog', 'dns-hook', '/bin/true']],
];

function option(text: string): readonly string[] {
  return ['docker-options:add', 'blog', 'deploy', ...text.split(' ')];
}

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  const blog = await bench.deployed('blog');
  await bench.deployed('shop');
  for (const { name } of Object.values(people)) bench.store.people.ensure(name, new Date());
  bench.store.people.grant('dora', 'deployer', blog);
  bench.store.people.grant('adam', 'admin', blog);
  bench.store.people.grant('alma', 'admin');
  await bench.run('network:create', 'backend');
  await bench.run('storage:create', 'uploads', '--chown', 'false');
});

describe.each(rows)('%s (%s)', (_what, least, words) => {
  const all = Object.keys(people) as Person[];
  it.each(all)('asked by %s', async person => {
    const mayHave = least !== 'nobody' && all.indexOf(person) >= all.indexOf(least);
    const before = stored();
    const { code, stderr } = await bench.runWith({ words: [...words], actor: people[person] });
    expect([code === 0, stderr]).toEqual([mayHave, expect.any(String)]);
    expect(stored() !== before).toBe(mayHave);
    if (least !== 'nobody' && !mayHave && code !== 21) expect(stderr).toMatch(/host|server|standard input/);
  });
});

/** What the app has been given. */
function stored(): string {
  const app = bench.store.apps.list().find(({ name }) => name === 'blog');
  if (!app) throw new Error('gone');
  const properties = [
    'mounts',
    'docker-options-deploy',
    'docker-options-build',
    'network-attach-post-create',
  ];
  return JSON.stringify([
    bench.store.config.own(app),
    bench.store.audit.list('blog').filter(({ result }) => result === 'ok').length,
    properties.map(name => bench.store.properties.get(`app:${app.id}`, name)),
  ]);
}

describe('files of a repository', () => {
  const reaching = {
    ...{
      privileged: true,
      mounts: ['/:/host'],
      volumes: ['/:/host'],
      networks: ['backend'],
      network: 'host',
    },
    ...{ docker_options: ['--privileged'], 'docker-options': { deploy: ['--privileged'] }, user: 'root' },
    ...{ capabilities: ['SYS_ADMIN'], devices: ['/dev/kvm'], storage: ['uploads:/data'], isolation: 'none' },
  };
  it('give an app nothing of that by an app.json', () => {
    const plain = parseAppJson('{"formation":{"web":{"quantity":1}}}');
    expect(parseAppJson(JSON.stringify({ ...reaching, formation: { web: { quantity: 1 } } }))).toEqual(plain);
    const { parts } = parseAppJson(JSON.stringify({ formation: { web: { quantity: 1, ...reaching } } }));
    expect(parts).toEqual(plain.parts);
  });
  it('have commands alone in a Procfile', () => {
    const { processes } = parseProcfile('web: --privileged -v /:/host run');
    expect([...processes]).toEqual([['web', '--privileged -v /:/host run']]);
  });
});

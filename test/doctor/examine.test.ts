import { describe, expect, it } from 'vitest';
import { examine, findingLines, hasFailure, type Patient } from '../../src/doctor/examine.ts';
import type { Host } from '../../src/doctor/host.ts';
import { files, healthyHost } from './support.ts';

const day = 86_400_000;
const now = new Date('2026-05-01T12:00:00Z');
const at = (days: number) => new Date(now.getTime() + days * day);
const listeners = [
  { flag: 'ssh', host: '0.0.0.0', port: 2222 },
  { flag: 'http', host: '0.0.0.0', port: 80 },
];
const running = { 2222: 'SSH-2.0-Wherry\r\n', 80: '' };

const patient = (changes: Partial<Patient> = {}): Patient => ({
  ...{ data: '/var/lib/wherry', cache: '/var/cache/wherry', isRunning: true, listeners },
  ...{ domains: [], certificates: [], now, ...changes },
});
type Changes = Parameters<typeof healthyHost>[0];
const examined = (changes: Changes = {}, about: Partial<Patient> = {}) =>
  examine(healthyHost({ greetings: running, ...changes }), patient(about));
/** What is not as it should be, as `state topic: message`. */
const troubles = async (changes: Changes = {}, about: Partial<Patient> = {}) =>
  (await examined(changes, about))
    .filter(({ state }) => state !== 'ok')
    .map(({ state, topic, message }) => `${state} ${topic}: ${message}`);
const one = async (changes: Changes, about: Partial<Patient> = {}) => {
  const found = await troubles(changes, about);
  expect(found).toHaveLength(1);
  return found[0];
};

describe('the doctor', () => {
  it('looks at the database, where there is one', async () => {
    expect(await one({}, { database: { damage: 'row 7 missing from index x' } })).toBe(
      'fail database: The database is damaged: row 7 missing from index x',
    );
    expect(await troubles({}, { database: { damage: undefined } })).toEqual([]);
  });

  it('finds nothing on a host where all is well, and says what it looked at', async () => {
    const findings = await examined();
    expect(hasFailure(findings)).toBe(false);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    const topics = new Set(findings.map(({ topic }) => topic));
    expect([...topics]).toEqual([
      'kernel',
      'cgroups',
      'programs',
      'memory',
      'disk',
      'clock',
      'data',
      'ports',
    ]);
  });

  it('gives a remedy with everything else, below its line', async () => {
    const findings = await examined({
      version: async () => undefined,
      uid: 1000,
      clockAhead: async () => -90_000,
    });
    for (const { state, remedy } of findings) expect(remedy === undefined, remedy).toBe(state === 'ok');
    const lines = findingLines(findings);
    expect(lines).toContain('fail  clock     The clock is 90 seconds behind');
    expect(lines.at(-1)).toMatch(/^\d+ ok, 1 warnings, 10 failures$/);
  });

  it('knows old kernels, and ones without overlays', async () => {
    expect(await one({ kernel: '4.19.0' })).toMatch(/^warn kernel: Linux 4.19.0 is older/);
    expect(await one({ files: { '/proc/filesystems': 'nodev\tsysfs\n' } })).toMatch(
      /^fail kernel: .*overlay/,
    );
    expect(await one({ node: '20.18.0' })).toMatch(/^fail kernel: Node.js 20.18.0/);
    expect(await troubles({ kernel: '5.4.0', node: '22.1.0' })).toEqual([]);
  });

  const v1 = ['memory', 'pids', 'cpu,cpuacct', 'freezer'].map(
    name => `cgroup /sys/fs/cgroup/${name} cgroup rw,${name} 0 0\n`,
  );
  const unified = 'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n';
  it.each([
    [v1.join(''), 'version 1'],
    [v1.join('') + unified, 'hybrid'],
    [files['/proc/mounts'] ?? '', 'version 2'],
  ])('knows the layouts of control groups: %j', async (mounts, layout) => {
    const findings = await examined({ files: { '/proc/mounts': mounts } });
    expect(findings.find(({ topic }) => topic === 'cgroups')).toMatchObject({
      state: 'ok',
      message: expect.stringContaining(layout),
    });
  });

  it.each([
    ['none', { '/proc/mounts': '' }, 'No control groups'],
    ['a memory controller', { '/sys/fs/cgroup/cgroup.controllers': 'cpu pids\n' }, 'no memory'],
    ['a freezer', { '/proc/mounts': v1.slice(0, 3).join('') }, 'no freezer'],
    [
      'controllers that can be read',
      { '/sys/fs/cgroup/cgroup.controllers': undefined },
      'no memory, pids, cpu',
    ],
  ])('misses %s among control groups', async (_what, changed, message) => {
    expect(await one({ files: changed })).toContain(message);
  });

  it('names programs that are missing, with what brings them', async () => {
    const findings = await examined({
      version: async program => (program === 'nft' ? undefined : 'x 1.2.3'),
    });
    expect(findings.find(({ state }) => state === 'fail')).toMatchObject({
      message: 'The program nft is missing',
      remedy: expect.stringContaining('nftables'),
    });
  });

  it('tells when memory, swap, disk or inodes are short', async () => {
    const memory = (text: string) => ({ files: { '/proc/meminfo': text } });
    expect(await one(memory('MemTotal: 300000 kB\nMemAvailable: 200000 kB\n'))).toMatch(/^fail memory/);
    expect(await one(memory('MemTotal: 4000000 kB\nMemAvailable: 100000 kB\n'))).toMatch(/^warn memory/);
    expect(
      await one(
        memory('MemTotal: 4000000 kB\nMemAvailable: 2000000 kB\nSwapTotal: 1000 kB\nSwapFree: 10 kB\n'),
      ),
    ).toMatch(/^warn memory: .*swap/);
    const disk = (free: number, inodesFree = 500): Changes => ({
      disk: () => ({ bytes: 100 * 2 ** 30, bytesFree: free, inodes: 1000, inodesFree }),
    });
    expect(await one(disk(100 * 2 ** 20))).toMatch(/^fail disk/);
    expect(await one(disk(3 * 2 ** 30))).toMatch(/^warn disk/);
    expect(await one(disk(50 * 2 ** 30, 5))).toMatch(/^fail disk: 5 of 1000 inodes/);
    expect(await one(disk(50 * 2 ** 30, 50))).toMatch(/^warn disk/);
  });

  it('compares the clock, and does without network', async () => {
    expect(await one({ clockAhead: async () => 20_000 })).toBe('warn clock: The clock is 20 seconds ahead');
    expect(await troubles({ clockAhead: async () => undefined })).toEqual([]);
  });

  it('looks at who may read the data', async () => {
    const rights = (of: Readonly<Record<string, [number, number]>>): Changes => ({
      rights(path) {
        const [uid, mode] = of[path] ?? [0, 0o700];
        return { uid, mode };
      },
    });
    expect(await one(rights({ '/var/lib/wherry/secret.key': [0, 0o644] }))).toMatch(
      /^fail data: .*secret.key/,
    );
    expect(await one(rights({ '/var/lib/wherry': [0, 0o777] }))).toMatch(/^fail data: .*written by others/);
    expect(await one(rights({ '/var/lib/wherry': [1000, 0o711] }))).toMatch(/^fail data: .*root/);
    expect(await troubles(rights({ '/var/lib/wherry': [0, 0o711] }))).toEqual([]);
  });

  it('expects answers at the ports of a daemon that runs', async () => {
    expect(await one({ greetings: { 80: '' } })).toContain('Port 2222 (--ssh 0.0.0.0:2222) does not answer');
    expect(await one({ greetings: { ...running, 2222: 'SSH-2.0-OpenSSH_9.2p1 Debian\r\n' } })).toBe(
      'fail ports: Port 2222 (--ssh 0.0.0.0:2222) is taken by OpenSSH_9.2p1',
    );
  });

  it('expects free ports where none runs, and names a sshd in the way', async () => {
    const stopped = { isRunning: false };
    const daemon = expect.stringMatching(/^warn daemon: Wherry is not running/);
    expect(await troubles({ greetings: {} }, stopped)).toEqual([daemon]);
    expect(await troubles({ greetings: { 2222: 'SSH-2.0-OpenSSH_9.2p1\r\n' } }, stopped)).toEqual([
      daemon,
      expect.stringMatching(/^fail ports: .*OpenSSH/),
    ]);
    expect(await troubles({ greetings: { 80: '' } }, stopped)).toEqual([
      daemon,
      expect.stringMatching(/^warn ports: Port 80 .*taken/),
    ]);
    expect(await troubles({ greetings: {}, refusal: async () => 'EACCES' }, stopped)).toHaveLength(3);
  });

  it('asks DNS for the domains, and for any name below the one of all apps', async () => {
    const asked: string[] = [];
    const resolve =
      (answer: (name: string) => string[] | undefined): Host['resolve'] =>
      async name => {
        asked.push(name);
        return answer(name);
      };
    const domains = [
      { domain: 'apps.example.org', app: 'default' },
      { domain: 'www.example.org', app: 'blog' },
      { domain: 'blog.localhost', app: 'blog' },
    ];
    expect(await troubles({ resolve: resolve(() => ['2001:db8::1']) }, { domains })).toEqual([]);
    expect(asked).toEqual(['wherry-doctor.apps.example.org', 'www.example.org']);
    expect(await troubles({ resolve: resolve(() => []) }, { domains })).toEqual([
      'fail dns: *.apps.example.org has no DNS record',
      'warn dns: www.example.org of app blog has no DNS record',
    ]);
    expect(await one({ resolve: resolve(() => ['198.51.100.7']) }, { domains: domains.slice(1) })).toContain(
      'points to 198.51.100.7, which is no address of this host',
    );
    expect(await one({ resolve: resolve(() => undefined) }, { domains: domains.slice(1) })).toContain(
      'DNS did not answer',
    );
  });

  it('warns of certificates before they expire', async () => {
    const dated = (days: number, isRenewed: boolean) => ({
      certificates: [{ names: ['example.org'], notAfter: at(days), isRenewed }],
    });
    expect(await one({}, dated(-2, false))).toBe(
      'fail certificates: The certificate for example.org expired on 2026-04-29',
    );
    expect(await one({}, dated(20, false))).toContain('expires in 20 days');
    expect(await one({}, dated(6, true))).toContain('expires in 6 days');
    expect(await troubles({}, dated(20, true))).toEqual([]);
  });
});

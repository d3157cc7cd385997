import { describe, expect, it } from 'vitest';
import { type AppJson, parseAppJson } from '../../../src/build/app-json.ts';
import { parseConfig } from '../../../src/build/oci/config.ts';
import { foreignImage } from '../../../src/build/oci/image.ts';
import { parseProcessType } from '../../../src/domain/names.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nsailor:x:101:102::/home/sailor:/bin/sh\n';
const group = 'root:x:0:\ncrew:x:150:sailor\n';

const make = (config: Record<string, unknown>, procfile?: Record<string, string>, appJson?: AppJson) =>
  foreignImage({
    config: {
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['./server'], User: '1001', ...config },
      rootfs: { diff_ids: [] },
    },
    layers: [],
    accounts: { passwd, group },
    ...(appJson && { appJson }),
    ...(procfile
      ? { procfile: new Map(Object.entries(procfile).map(([type, line]) => [parseProcessType(type), line])) }
      : {}),
  });

describe('an image from elsewhere', () => {
  it('has what the app.json beside its Dockerfile says, before what it says itself', () => {
    const { parts } = parseAppJson(
      '{"healthchecks":{"web":[{"path":"/up"}]},"formation":{"web":{"quantity":2}}}',
    );
    const Healthcheck = { Test: ['CMD', 'true'] };
    const { image } = make({ Healthcheck }, undefined, { parts, warnings: [] });
    expect(image).toMatchObject({
      healthchecks: { web: [{ probe: { path: '/up' } }] },
      formation: { web: { quantity: 2 } },
    });
    expect(make({ Healthcheck }).image).not.toHaveProperty('formation');
  });

  it('runs ENTRYPOINT and CMD as process web in WORKDIR with its environment', () => {
    const { image, warnings } = make({
      Entrypoint: ['/entry', '-x'],
      Cmd: ['serve'],
      WorkingDir: '/srv',
      Env: ['PATH=/bin', 'EMPTY=', 'LINE=a=b'],
    });
    expect(image.entrypoint).toEqual(['/entry', '-x']);
    expect(image.processes).toEqual([{ type: 'web', command: ['serve'], workingDir: '/srv' }]);
    expect(image.env).toEqual({ PATH: '/bin', EMPTY: '', LINE: 'a=b' });
    expect(warnings).toEqual([]);
  });

  it('runs what its Procfile says instead of CMD, behind ENTRYPOINT, with a shell only where one is needed', () => {
    const { image } = make(
      { Entrypoint: ['/entry'] },
      { web: 'node  app.js', clock: 'a && b', env: 'A=1 b' },
    );
    expect(image.entrypoint).toEqual(['/entry']);
    expect(image.processes.map(({ type, command }) => [type, command])).toEqual([
      ['web', ['node', 'app.js']],
      ['clock', ['/bin/sh', '-c', 'a && b']],
      ['env', ['/bin/sh', '-c', 'A=1 b']],
    ]);
  });

  it('is refused without any command', () => {
    expect(() => make({ Cmd: null })).toThrow('The image names no command to run.');
  });

  it.each([
    [{ '8080/tcp': {} }, [], 8080],
    [{ '443/tcp': {}, '80/tcp': {}, '53/udp': {} }, [], 80],
    [{ '3000/tcp': {}, '8080': {} }, ['PORT=8080'], 8080],
    [{ '8002-8004/tcp': {}, '9000-9001/udp': {} }, [], 8002],
    [{ '53/udp': {}, '99999/tcp': {}, 'x/tcp': {} }, [], undefined],
    [undefined, ['PORT=8080'], undefined],
  ])('of %j with %j listens on %s', (ExposedPorts, Env, port) => {
    expect(make({ ExposedPorts, Env }).image.port).toBe(port);
  });

  it.each([
    ['1001', { uid: 1001, gid: 1001 }],
    ['1001:50', { uid: 1001, gid: 50 }],
    ['sailor', { uid: 101, gid: 102 }],
    ['101', { uid: 101, gid: 102 }],
    ['sailor:crew', { uid: 101, gid: 150 }],
    // Group 0 owns much of a system.
    ['1001:0', { uid: 1001, gid: 1001 }],
  ])('with USER %s runs as %j', (User, user) => {
    expect(make({ User }).image.user).toEqual(user);
  });

  it.each(['', 'root', '0', '0:0', 'root:crew'])('with USER "%s" runs as no root and says so', User => {
    const { image, warnings } = make({ User });
    expect(image.user).toEqual({ uid: 1000, gid: 1000 });
    expect(warnings.join()).toContain('wants to run as root; it runs as user 1000');
  });

  it.each(['nobody-known', '../../etc', 'sailor:nobody-known', '99999999999'])(
    'with USER %s is refused',
    User => {
      expect(() => make({ User })).toThrow(/The image has no (user|group)/);
    },
  );

  it.each([
    [
      { Test: ['CMD-SHELL', 'curl -f localhost || exit 1'] },
      ['/bin/sh', '-c', 'curl -f localhost || exit 1'],
    ],
    [{ Test: ['CMD', 'pg_isready', '-q'] }, ['pg_isready', '-q']],
    [{ Test: ['NONE'] }, undefined],
    [{ Test: [] }, undefined],
    [null, undefined],
  ])('with HEALTHCHECK %j is checked by %j', (Healthcheck, command) => {
    const { healthcheck } = make({ Healthcheck }).image;
    expect(healthcheck && 'command' in healthcheck ? healthcheck.command : healthcheck).toEqual(command);
  });

  it("has its HEALTHCHECK's times, Docker's own where it says none, and its own shell", () => {
    const second = 1e9;
    const times = { Interval: 5 * second, Timeout: second, StartPeriod: 90 * second, Retries: 7 };
    expect(make({ Healthcheck: { Test: ['CMD', 'x'], ...times } }).image.healthcheck).toEqual({
      command: ['x'],
      interval: 5000,
      timeout: 1000,
      startPeriod: 90_000,
      retries: 7,
    });
    expect(
      make({ Healthcheck: { Test: ['CMD-SHELL', 'x'] }, Shell: ['/bin/bash', '-ec'] }).image.healthcheck,
    ).toEqual({
      command: ['/bin/bash', '-ec', 'x'],
      interval: 30_000,
      timeout: 30_000,
      startPeriod: 0,
      retries: 3,
    });
  });

  it.each([
    ['SIGQUIT', 'SIGQUIT'],
    ['quit', 'SIGQUIT'],
    ['3', 'SIGQUIT'],
    ['SIGWINCH', 'SIGWINCH'],
    ['SIGTERM', undefined],
    ['', undefined],
  ])('with STOPSIGNAL "%s" is asked to stop by %s', (StopSignal, expected) => {
    const { image, warnings } = make({ StopSignal });
    expect([image.stopSignal, warnings]).toEqual([expected, []]);
  });

  it.each(['SIGKILL', 'SIGRTMIN+3', '99', '../x'])('says that it ignores STOPSIGNAL %s', StopSignal => {
    const { image, warnings } = make({ StopSignal });
    expect(image.stopSignal).toBeUndefined();
    expect(warnings.join()).toContain(`STOPSIGNAL "${StopSignal}" is ignored`);
  });

  it('says that it ignores volumes', () => {
    expect(make({ Volumes: { '/data': {} } }).warnings.join()).toContain('VOLUME is ignored');
  });

  it('has an id that depends on its content alone', () => {
    const one = make({ Env: ['A=1', 'B=2'] }).image;
    expect(make({ Env: ['B=2', 'A=1'] }).image.id).toBe(one.id);
    expect(make({ Env: ['A=1', 'B=3'] }).image.id).not.toBe(one.id);
  });
});

describe('an image configuration', () => {
  const rootfs = { diff_ids: [] };
  it.each([
    ['{', 'holds JSON that cannot be read'],
    ['[]', 'has a configuration that cannot be read'],
    [
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: ['sha256:../x'] } }),
      'rootfs.diff_ids.0',
    ],
    [
      JSON.stringify({ os: 'windows', architecture: 'amd64', rootfs }),
      'is for windows/amd64; this host runs linux/',
    ],
    [JSON.stringify({ os: 'linux', architecture: 'riscv64', rootfs }), 'is for linux/riscv64'],
  ])('%s is refused', (text, message) => {
    expect(() => parseConfig(text, 'Image x')).toThrow(message);
  });
});

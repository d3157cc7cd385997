import { mkdtempSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '../../../src/domain/image.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, openBench } from '../support/bench.ts';
import { systemLayer } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// Every form of the instructions that say how an image runs, through the image builder to what is run.

let bench: BuildBench;
let host: RegistryHost;
let empty: string;

beforeAll(async () => {
  host = await openRegistryHost();
  bench = await openBench({ allowHosts: host.host });
  empty = mkdtempSync(join(bench.paths.data, 'empty-'));
  const layer = await systemLayer([
    { name: 'etc/group', text: 'crew:x:150:sailor\n' },
    { name: 'srv/', type: 'directory', mode: 0o755 },
  ]);
  const Healthcheck = { Test: ['CMD', '/base'], Interval: 1e9 };
  host.push('plain', 'latest', { layers: [layer] });
  host.push('full', 'latest', {
    layers: [layer],
    config: { Entrypoint: ['/base'], Cmd: ['given'], WorkingDir: '/srv', User: 'sailor', Healthcheck },
  });
}, 300_000);
afterAll(async () => {
  await bench.close();
  await host.close();
});

async function build(lines: string, base = 'plain'): Promise<{ image: Image; said: string }> {
  const { image, output } = await bench.build(empty, {
    app: parseAppName('forms'),
    change: dir => writeFileSync(join(dir, 'Dockerfile'), `FROM ${host.host}/${base}\n${lines}\n`),
  });
  return { image, said: output.join('\n') };
}
/** What the instance is started with, as `docker run` would. */
const argv = ({ entrypoint, processes }: Image) => [...entrypoint, ...(processes[0]?.command ?? [])];

describe('a Dockerfile', { timeout: 120_000 }, () => {
  it.each([
    ['ENTRYPOINT ["/e", "-x"]\nCMD ["a", "b c"]', ['/e', '-x', 'a', 'b c']],
    ['ENTRYPOINT ["/e"]\nCMD run $NAME', ['/e', '/bin/sh', '-c', 'run $NAME']],
    ['ENTRYPOINT e $NAME\nCMD ["a"]', ['/bin/sh', '-c', 'e $NAME', 'a']],
    ['ENTRYPOINT e\nCMD a', ['/bin/sh', '-c', 'e', '/bin/sh', '-c', 'a']],
    ['CMD ["/server"]', ['/server']],
    ['CMD exec server', ['/bin/sh', '-c', 'exec server']],
    ['ENTRYPOINT ["/e"]', ['/e']],
    ['CMD ["first"]\nCMD ["last"]', ['last']],
    ['SHELL ["/bin/busybox", "ash", "-ec"]\nCMD server', ['/bin/busybox', 'ash', '-ec', 'server']],
  ])('with %j runs %j', async (lines, expected) => {
    expect(argv((await build(lines)).image)).toEqual(expected);
  });

  it.each([
    ['LABEL a=b', ['/base', 'given']],
    ['CMD ["other"]', ['/base', 'other']],
    ['ENTRYPOINT ["/own"]\nCMD ["x"]', ['/own', 'x']],
    ['ENTRYPOINT []\nCMD ["/alone"]', ['/alone']],
  ])('with %j on an image that has both runs %j', async (lines, expected) => {
    expect(argv((await build(lines, 'full')).image)).toEqual(expected);
  });

  it.each([
    ['EXPOSE 3000', 3000],
    ['EXPOSE 8080/tcp', 8080],
    ['EXPOSE 53/udp', undefined],
    ['EXPOSE 443 80/tcp 53/udp', 80],
    ['EXPOSE 443\nEXPOSE 80', 80],
    ['EXPOSE 8002-8004', 8002],
    ['ENV PORT=9000\nEXPOSE 80 $PORT', 9000],
  ])('with %j listens on %s', async (lines, port) => {
    expect((await build(`${lines}\nCMD ["x"]`)).image.port).toBe(port);
  });

  it.each([
    ['USER sailor', { uid: 7000, gid: 7001 }],
    ['USER 1234', { uid: 1234, gid: 1234 }],
    ['USER 1234:50', { uid: 1234, gid: 50 }],
    ['USER sailor:crew', { uid: 7000, gid: 150 }],
    ['ARG WHO=sailor\nUSER $WHO', { uid: 7000, gid: 7001 }],
    ['USER root\nUSER 1234', { uid: 1234, gid: 1234 }],
  ])('with %j runs as %j', async (lines, user) => {
    expect((await build(`${lines}\nCMD ["x"]`)).image.user).toEqual(user);
  });

  it.each(['USER root', 'USER 0', 'USER 0:0', 'LABEL a=b'])(
    'with %j runs as no root, and says so',
    async line => {
      const { image, said } = await build(`${line}\nCMD ["x"]`);
      expect(image.user).toEqual({ uid: 1000, gid: 1000 });
      expect(said).toContain('wants to run as root; it runs as user 1000');
    },
  );

  it.each(['USER nobody-known', 'USER sailor:nobody-known'])('with %j is refused', async line => {
    await expect(build(`${line}\nCMD ["x"]`)).rejects.toThrow(/has no (user|group) "nobody-known"/);
  });

  it.each([
    ['WORKDIR /deep/er', '/deep/er'],
    ['WORKDIR /deep\nWORKDIR er\nWORKDIR ../est', '/deep/est'],
    ['ENV AT=/by/name\nWORKDIR $AT', '/by/name'],
  ])('with %j starts in a folder that is made', async (lines, dir) => {
    const { image } = await build(`${lines}\nCMD ["/bin/busybox", "sleep", "60"]`);
    expect([image.workingDir, image.processes[0]?.workingDir]).toEqual([dir, dir]);
    await bench.run(image, 'web', async () => {
      const [instance] = await bench.engine.list();
      const pid = instance?.status.kind === 'running' ? instance.status.pid : 0;
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(dir);
    });
  });

  it('takes WORKDIR of its base further', async () => {
    expect((await build('WORKDIR sub', 'full')).image.workingDir).toBe('/srv/sub');
  });

  it('has its ENV in every form, by which later lines are read', async () => {
    const lines = [
      'ENV A=1 B="two words" C=a\\ b',
      'ENV D the old form',
      'ENV E=$A-${B}-${NONE:-none} F=\\$A',
      'CMD ["x"]',
    ];
    expect((await build(lines.join('\n'))).image.env).toMatchObject({
      ...{ A: '1', B: 'two words', C: 'a b', D: 'the old form' },
      ...{ E: '1-two words-none', F: '$A' },
    });
  });

  it.each([
    [
      'HEALTHCHECK CMD ["/check", "-q"]',
      { command: ['/check', '-q'], interval: 30_000, timeout: 30_000, retries: 3, startPeriod: 0 },
    ],
    [
      'HEALTHCHECK --interval=1m30s --timeout=500ms --retries=7 --start-period=2m CMD check || exit 1',
      {
        command: ['/bin/sh', '-c', 'check || exit 1'],
        ...{ interval: 90_000, timeout: 500, retries: 7, startPeriod: 120_000 },
      },
    ],
    ['HEALTHCHECK NONE', undefined],
    ['HEALTHCHECK CMD /first\nHEALTHCHECK NONE', undefined],
  ])('with %j is checked by %j', async (line, expected) => {
    expect((await build(line, 'full')).image.healthcheck).toEqual(expected);
  });

  it('is checked by the HEALTHCHECK of its base when it has none', async () => {
    expect((await build('LABEL a=c', 'full')).image.healthcheck).toMatchObject({
      command: ['/base'],
      interval: 1000,
    });
  });

  it.each([
    ['STOPSIGNAL SIGQUIT', 'SIGQUIT'],
    ['ARG BY=2\nSTOPSIGNAL $BY', 'SIGINT'],
    ['LABEL a=d', undefined],
  ])('with %j is asked to stop by %s', async (lines, signal) => {
    expect((await build(`${lines}\nCMD ["x"]`)).image.stopSignal).toBe(signal);
  });

  it('runs here-documents by shell, command and interpreter, and copies them as files', async () => {
    const lines = [
      'ARG WHO=ann',
      'RUN <<EOF',
      'echo "one $WHO"',
      'echo two',
      'EOF',
      "RUN /bin/busybox cat <<'EOF' > /written",
      'of $WHO',
      'EOF',
      'RUN <<EOF',
      '#!/bin/busybox ash',
      'echo "run as $0"',
      'EOF',
      'COPY <<hello.txt /srv/',
      'hello',
      'hello.txt',
      'RUN /bin/busybox cat /written /srv/hello.txt; /bin/busybox ls -l /srv /etc',
      'CMD ["x"]',
    ];
    const { said } = await build(lines.join('\n'));
    expect(said).toMatch(/\none ann\ntwo\n/);
    expect(said).toContain('\nrun as /etc/wherry-run\n');
    expect(said).toContain('\nof $WHO\nhello\n');
    expect(said).toMatch(/-rw-r--r-- .* hello\.txt/);
    expect(said).not.toContain(' wherry-run\n');
  });

  it('with a here-document that fails is told like any step', async () => {
    await expect(build('RUN <<EOF\nexit 3\nEOF\nCMD ["x"]')).rejects.toThrow('ended with status');
  });
});

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBuildOptions } from '../../../src/domain/docker-option.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../support/bench.ts';

const sample = join(fixtures, 'dockerfile');
const app = parseAppName('dockerfile');

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
}, 300_000);
afterAll(async () => {
  await bench.close();
});

const dockerfile =
  (...lines: string[]) =>
  (dir: string) =>
    writeFileSync(join(dir, 'Dockerfile'), ['FROM wherry/stack', ...lines, 'CMD ["true"]', ''].join('\n'));

describe('an app with a Dockerfile', { timeout: 240_000 }, () => {
  it('is built stage by stage and answers on its port, as its user, with its environment', async () => {
    const { image, output } = await bench.build(sample, { app });
    expect(output.filter(line => line.includes('STEP '))).not.toHaveLength(0);
    expect(image).toMatchObject({
      port: 8080,
      user: { uid: 1234, gid: 1234 },
      workingDir: '/srv/boat',
      entrypoint: ['/usr/bin/perl'],
      healthcheck: {
        command: ['/bin/sh', '-c', 'curl -f http://localhost:8080/health'],
        interval: 5000,
        timeout: 30_000,
        retries: 2,
        startPeriod: 60_000,
      },
    });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe(
        'AHOY FROM A DOCKERFILE\nbuilt as uid 0\nuid 1234, port 8080, from the image, in /srv/boat\n',
      );
    });
  });

  it('is built without a container when nothing changed, and from its layers when something did', async () => {
    const first = await bench.build(sample, { app });
    const again = await bench.build(sample, { app });
    expect(again.sandboxes).toBe(0);
    expect(again.image).toEqual(first.image);
    const changed = await bench.build(sample, {
      app,
      change: dir => writeFileSync(join(dir, 'greeting.txt'), 'changed\n'),
    });
    expect(changed.output.join('\n')).toContain('Using cache');
    expect(changed.image.layers.filter(id => !first.image.layers.includes(id)).length).toBeLessThan(4);
    expect(changed.image.layers[0]).toBe(first.image.layers[0]);
  });

  it('leaves its commands to a Procfile', async () => {
    const { image } = await bench.build(sample, {
      app,
      change: dir => writeFileSync(join(dir, 'Procfile'), 'web: serve.pl\nworker: -e 1\n'),
    });
    expect(image.processes.map(({ type, command }) => [type, command])).toEqual([
      ['web', ['serve.pl']],
      ['worker', ['-e', '1']],
    ]);
  });

  it('runs its steps without the means to leave the build: no mounts, devices, chroot or host processes', async () => {
    const probe = (line: string) => `RUN (${line}) && echo ESCAPED "${line}" || true`;
    const { output } = await bench.build(sample, {
      app,
      change: dockerfile(
        probe('mount -t tmpfs none /mnt'),
        probe('mknod /sda b 8 0'),
        probe('chroot / true'),
        probe('unshare -m true'),
        probe('echo x > /proc/sys/kernel/hostname'),
        probe('mkdir /sys/fs/cgroup/memory/x'),
        probe('cat /files/Dockerfile'),
        probe('ls /var/lib/containers/storage'),
        probe('dd if=/dev/vda of=/dev/null count=1'),
        probe('for each in /proc/[0-9]*; do ls $each/root/files && exit 0; done; exit 1'),
        probe('[ $(ls /proc | grep -c "^[0-9]") -gt 20 ]'),
        'RUN grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; ls /proc | grep -c "^[0-9]"; ls /dev',
      ),
    });
    const said = output.join('\n');
    expect(output.filter(line => line.startsWith('ESCAPED'))).toEqual([]);
    expect(said).toMatch(/NoNewPrivs:\s*1/);
  });

  it('is built from another path, with arguments of the operator, up to a stage, and keeps none of its certificates', async () => {
    const { image, output } = await bench.build(sample, {
      app: parseAppName('options'),
      config: { GREETING: 'of-the-config', OTHER: 'not-asked-for' },
      dockerfile: {
        path: 'docker/web.Dockerfile',
        options: readBuildOptions([
          '--build-arg BASE=wherry/stack',
          '--build-arg GREETING',
          '--label kind=boat',
          '--target=web',
        ]),
      },
      change: dir => {
        mkdirSync(join(dir, 'docker'));
        writeFileSync(
          join(dir, 'docker/web.Dockerfile'),
          [
            'ARG BASE=nowhere.invalid/x',
            'FROM $BASE AS web',
            'ARG GREETING=none',
            'ARG OTHER=none',
            'RUN echo "greeting $GREETING other $OTHER"; [ -z "$SSL_CERT_FILE" ] || grep -c BEGIN "$SSL_CERT_FILE"',
            'CMD ["true"]',
            'FROM web',
            'RUN exit 9',
          ].join('\n'),
        );
      },
    });
    expect(output.join('\n')).toContain('\ngreeting of-the-config other none');
    expect(image.labels['kind']).toBe('boat');
    expect(image.env['SSL_CERT_FILE']).toBeUndefined();
    const [last] = image.layers.slice(-1);
    expect(last && existsSync(join(bench.layers.layerPath(last), 'etc/wherry-ca.pem'))).toBe(false);
  });

  it('says which step failed', async () => {
    const building = bench.build(sample, {
      app,
      change: dockerfile('RUN echo ahoy; exit 7'),
    });
    await expect(building).rejects.toThrow('The build by the Dockerfile ended with status');
  });

  it('is stopped at its time and memory limits, told as such', async () => {
    const limited = (limits: object, line: string) =>
      bench.build(sample, { app, limits, change: dockerfile(`RUN ${line}`) });
    await expect(limited({ time: 15_000 }, 'sleep 60')).rejects.toThrow('time limit of 15s');
    await expect(
      limited({ memory: 192 * 2 ** 20 }, `perl -e 'my $x = "x" x 600_000_000; sleep 1; print length $x'`),
    ).rejects.toThrow('memory limit of 192m');
  });

  it('is refused before anything runs when it reaches out of the build', async () => {
    const before = bench.sandboxes.length;
    const building = bench.build(sample, {
      app,
      change: dockerfile('RUN --mount=type=bind,from=x,target=/x ls'),
    });
    await expect(building).rejects.toThrow('Dockerfile, line 2: RUN --mount=');
    expect(bench.sandboxes).toHaveLength(before);
  });

  it('leaves nothing of its storage when it is forgotten', async () => {
    await bench.builder.forget(app);
    expect(existsSync(join(bench.paths.builds, app))).toBe(false);
  });
});

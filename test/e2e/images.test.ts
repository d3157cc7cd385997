import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveOf, tarOf, writeImage } from '../build/support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../build/support/registry-host.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('an image archive on standard input', () => {
  let wherry: Wherry;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'wherry-images-'));
    wherry = await startWherry();
  });
  afterAll(async () => {
    await wherry?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** busybox, a page, and a web server on the port that the image exposes. */
  const archive = async (page: string) => {
    const layer = await tarOf([
      { name: 'bin/busybox', mode: 0o755, text: readFileSync('/bin/busybox') },
      { name: 'www/index.html', mode: 0o644, text: page },
    ]);
    const made = mkdtempSync(join(dir, 'image-'));
    writeImage(made, 'docker', {
      layers: [layer],
      config: {
        WorkingDir: '/www',
        ExposedPorts: { '8080/tcp': {} },
        Cmd: ['/bin/busybox', 'httpd', '-f', '-p', '8080'],
      },
    });
    return readFileSync(await archiveOf(made, `${made}.tar`));
  };

  it('is deployed without git, and a later one takes its place; a rollback brings the first back', async () => {
    expect((await wherry.cli('apps:create', 'boat')).code).toBe(0);
    const first = await wherry.cliWith(await archive('one'), 'git:load-image', 'boat', 'boat:latest');
    expect(first.code, first.output).toBe(0);
    expect(first.output).toContain('wants to run as root; it runs as user 1000');
    expect((await wherry.get('boat')).text).toBe('one');
    const second = await wherry.cliWith(await archive('two'), 'git:load-image', 'boat', 'boat:latest');
    expect(second.code, second.output).toBe(0);
    expect((await wherry.get('boat')).text).toBe('two');
    expect((await wherry.cli('releases', 'boat')).stdout).toContain('Deploy image boat:latest');
    expect((await wherry.cli('rollback', 'boat')).code).toBe(0);
    expect((await wherry.get('boat')).text).toBe('one');
  });

  it('that is none changes nothing', async () => {
    const sent = await wherry.cliWith('x'.repeat(5000), 'git:load-image', 'boat', 'boat:latest');
    expect(sent.code).not.toBe(0);
    expect(sent.output).toContain('Image boat:latest is no whole tar archive');
    expect((await wherry.get('boat')).text).toBe('one');
  });
});

// A stand-in on loopback: registries on the Internet are out of reach of tests.
describe('an image of a private registry', () => {
  let wherry: Wherry;
  let host: RegistryHost;
  beforeAll(async () => {
    host = await openRegistryHost({ login: { user: 'ann', password: 'pass:word', by: 'bearer' } });
    wherry = await startWherry({ env: { WHERRY_ALLOW_HOSTS: host.host } });
    await wherry.cli('apps:create', 'boat');
  });
  afterAll(async () => {
    await wherry?.stop();
    await host.close();
  });
  const push = async (page: string) =>
    host.push('team/boat', '1', {
      layers: [
        await tarOf([{ name: 'bin/busybox', mode: 0o755, text: readFileSync('/bin/busybox') }]),
        await tarOf([{ name: 'www/index.html', mode: 0o644, text: page }]),
      ],
      config: {
        WorkingDir: '/www',
        ExposedPorts: { '8080/tcp': {} },
        Cmd: ['/bin/busybox', 'httpd', '-f', '-p', '8080'],
      },
    });

  it('is deployed after a login, again when its tag means another, and not when nothing changed', async () => {
    const name = `${host.host}/team/boat:1`;
    await push('one');
    const before = await wherry.cli('git:from-image', 'boat', name);
    expect(before.code).toBe(21);
    expect(before.output).toContain('registry:login --global');
    const login = await wherry.cliWith('pass:word\n', 'registry:login', 'boat', host.host, 'ann');
    expect(login.code, login.output).toBe(0);
    const first = await wherry.cli('git:from-image', 'boat', name);
    expect(first.code, first.output).toBe(0);
    expect((await wherry.get('boat')).text).toBe('one');
    expect((await wherry.cli('git:from-image', 'boat', name)).output).toContain('No changes detected');
    await push('two');
    expect((await wherry.cli('ps:rebuild', 'boat')).code).toBe(0);
    expect((await wherry.get('boat')).text).toBe('two');
    expect((await wherry.cli('git:report', 'boat', '--git-source-image')).stdout).toBe(`${name}\n`);
    expect(wherry.log() + (await wherry.cli('events')).output).not.toContain('pass:word');
  });

  /** Pulls while the registry sends a byte at a time, until the first was asked for. */
  const slowly = async (page: string) => {
    await push(page);
    host.requests.length = 0;
    host.mischief.drip = true;
    const pulling = wherry.cli('git:from-image', 'boat', `${host.host}/team/boat:1`);
    await until('a layer is asked for', () => host.requests.some(line => line.includes('/blobs/')));
    return { pulling };
  };
  const leftOver = () =>
    readdirSync(join(wherry.data, 'builds/boat')).filter(name => name.startsWith('work-'));

  it('that is being fetched can be canceled: what ran runs on and nothing stays', async () => {
    const { pulling } = await slowly('three');
    expect(leftOver()).toHaveLength(1);
    expect((await wherry.cli('builds:cancel', 'boat')).code).toBe(0);
    const ended = await pulling;
    expect(ended.code).not.toBe(0);
    expect(ended.output).toMatch(/Build \d+ of boat was canceled/);
    expect((await wherry.get('boat')).text).toBe('two');
    expect(leftOver()).toEqual([]);
  });

  it('that is being fetched when the daemon is killed is fetched by the next one, and nothing stays', async () => {
    const { pulling } = await slowly('four');
    await wherry.kill();
    await pulling;
    delete host.mischief.drip;
    await wherry.start();
    const again = await wherry.cli('git:from-image', 'boat', `${host.host}/team/boat:1`);
    expect(again.code, again.output).toBe(0);
    expect((await wherry.get('boat')).text).toBe('four');
    expect(leftOver()).toEqual([]);
  });
});

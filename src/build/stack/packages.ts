import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import { opaqueFolders } from '../layers/opaque.ts';
import type { LayerStore } from '../layers/store.ts';
import { unmarkNewFolders } from '../layers/unmark.ts';
import { hostMirror } from './mirror.ts';
import { removeTraces } from './traces.ts';

export type PackagesOptions = {
  readonly layers: LayerStore;
  /** What is below, lowest first. */
  readonly base: readonly DiffId[];
  readonly packages: readonly string[];
  readonly origin: string;
  /** Keeps apt's record of what is installed; without it the layer holds the packages' files alone and sits on any stack. */
  readonly record: boolean;
  /** The Debian suite whose mirror of the host's is used; the sources of the base itself when left out. */
  readonly suite?: string | undefined;
  /** Work folder on the cache's file system; what a crash left in it is unmounted and deleted. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Debian packages as one layer: apt runs over an overlay of `base`, and what it wrote is the layer. Nothing of any app takes
 * part in this, so it runs on the host in a chroot, as mmdebstrap itself does.
 */
export async function makePackagesLayer(options: PackagesOptions): Promise<DiffId> {
  const { dir, layers } = options;
  const [root, upper, work] = [join(dir, 'root'), join(dir, 'upper'), join(dir, 'work')];
  await discard(dir);
  for (const folder of [root, upper, work]) mkdirSync(folder, { recursive: true });
  try {
    const lowers = options.base.map(layers.layerPath);
    const data = `lowerdir=${lowers.toReversed().join(':')},upperdir=${upper},workdir=${work}`;
    await exec('mount', ['-t', 'overlay', 'overlay', '-o', data, root]);
    await install(root, options);
    await exec('umount', [join(root, 'proc'), root]);
    tidy(upper, options.record);
    unmarkNewFolders(upper, lowers);
    const opaque = await opaqueFolders(upper, lowers);
    return await layers.put({ dir: upper, scope: 'shared', origin: options.origin, opaque });
  } finally {
    await discard(dir);
  }
}

async function install(root: string, { packages, signal, suite }: PackagesOptions): Promise<void> {
  const mirror = await hostMirror(suite);
  await prepare(root, suite === undefined ? [] : mirror.sources, mirror.options);
  const run = async (...argv: string[]) =>
    await exec('chroot', [root, ...argv], {
      timeout: 15 * 60_000,
      maxOutput: 2 ** 26,
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      ...(signal ? { signal } : {}),
    });
  try {
    await run('apt-get', '-qq', 'update');
    await run('apt-get', '-qq', '-y', '--no-install-recommends', 'install', ...packages);
  } catch (cause) {
    throw new WherryError(
      'failed',
      `Debian packages ${packages.join(', ')} could not be installed; see the daemon log. Check that the Debian mirror in /etc/apt is reachable.`,
      { cause },
    );
  }
}

async function prepare(root: string, sources: readonly string[], options: readonly string[]): Promise<void> {
  // Without a mirror of the host's the base holds the one that mmdebstrap chose.
  if (sources.length > 0) writeFileSync(join(root, 'etc/apt/sources.list'), `${sources.join('\n')}\n`);
  writeFileSync(join(root, 'etc/apt/apt.conf.d/99wherry'), `${options.join('\n')}\n`);
  copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  // Debian's maintainer scripts ask this program before they start a service; 101 means no.
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n');
  chmodSync(join(root, 'usr/sbin/policy-rc.d'), 0o755);
  // Links to manual pages, which are left out, are made all the same: without their folder the installation fails.
  mkdirSync(join(root, 'usr/share/man/man1'), { recursive: true });
  // Java's scripts run Java, which does not start without it.
  await exec('mount', ['-t', 'proc', '-o', 'ro,nosuid,nodev,noexec', 'proc', join(root, 'proc')]);
  await exec('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']);
  await exec('mknod', ['-m', '666', join(root, 'dev/urandom'), 'c', '1', '9']);
}

function tidy(upper: string, record: boolean): void {
  for (const path of ['dev', 'usr/share/man']) rmSync(join(upper, path), { recursive: true, force: true });
  removeTraces(upper);
  rmSync(join(upper, 'etc/apt/sources.list'), { force: true });
  if (record) return;
  for (const path of ['var/lib/dpkg', 'var/lib/apt', 'var/cache'])
    rmSync(join(upper, path), { recursive: true, force: true });
}

async function discard(dir: string): Promise<void> {
  // Not mounted is the usual case; a mount that cannot be undone shows in the deletion below.
  await exec('umount', ['--lazy', join(dir, 'root')]).catch(() => {});
  await rm(dir, { recursive: true, force: true });
}

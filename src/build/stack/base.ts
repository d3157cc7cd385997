import { appendFileSync, chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { exec } from '../../system/exec.ts';
import type { LayerStore } from '../layers/store.ts';
import { hostMirror, type Mirror } from './mirror.ts';
import { appUser, excludedPaths, home, runPackages } from './recipe.ts';
import { removeTraces } from './traces.ts';
import { unknownPackage } from './unknown-package.ts';

export type BaseOptions = {
  readonly layers: LayerStore;
  /** Debian's name for it, as `bookworm`. */
  readonly suite: string;
  /** Debian packages on top of the usual ones. */
  readonly packages: readonly string[];
  /** Work folder on the cache's file system; emptied first. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
};

/** The run image: a Debian of its own, made from the mirror the host uses. About half a minute. */
export async function makeBase(options: BaseOptions): Promise<DiffId> {
  const root = join(options.dir, 'root');
  await rm(options.dir, { recursive: true, force: true });
  mkdirSync(options.dir, { recursive: true });
  try {
    const mirror = await hostMirror(options.suite);
    await bootstrap(root, mirror, options);
    if (mirror.sources.length > 0) rmSync(join(root, 'etc/apt/sources.list'));
    await exec('chroot', [root, 'localedef', '-i', 'en_US', '-f', 'UTF-8', 'en_US.UTF-8']);
    finish(root);
    return await options.layers.put({ dir: root, scope: 'shared', origin: 'stack' });
  } finally {
    await rm(options.dir, { recursive: true, force: true });
  }
}

async function bootstrap(root: string, mirror: Mirror, options: BaseOptions): Promise<void> {
  const { suite, packages, signal } = options;
  const args = [
    '--quiet',
    '--variant=minbase',
    '--mode=root',
    '--format=directory',
    `--include=${[...runPackages, ...packages].join(',')}`,
    ...excludedPaths.map(line => `--dpkgopt=${line}`),
    ...mirror.options.map(option => `--aptopt=${option}`),
    suite,
    root,
    ...(mirror.sources.length > 0 ? ['-'] : []),
  ];
  const input = `${mirror.sources.join('\n')}\n`;
  try {
    await exec('mmdebstrap', args, { input, timeout: 15 * 60_000, ...(signal ? { signal } : {}) });
  } catch (cause) {
    const unknown = unknownPackage(cause);
    if (unknown !== undefined)
      throw new WherryError(
        'not-found',
        `Debian ${suite} has no package ${quoteForPeople(unknown)}. Correct its name.`,
        {
          cause,
        },
      );
    throw new WherryError(
      'failed',
      'The stack image could not be made with mmdebstrap; see the daemon log. Check that the Debian mirror in /etc/apt is reachable.',
      { cause },
    );
  }
}

function finish(root: string): void {
  addUser(root);
  for (const folder of ['workspace', 'layers', 'cnb', 'platform']) mkdirSync(join(root, folder));
  chownSync(join(root, 'workspace'), appUser.uid, appUser.gid);
  rmSync(join(root, 'usr/share/i18n'), { recursive: true, force: true });
  for (const name of readdirSync(join(root, 'dev'))) rmSync(join(root, 'dev', name), { recursive: true });
  removeTraces(root);
}

function addUser(root: string): void {
  const { uid, gid } = appUser;
  appendFileSync(join(root, 'etc/passwd'), `app:x:${uid}:${gid}:app:${home}:/bin/bash\n`);
  appendFileSync(join(root, 'etc/group'), `app:x:${gid}:\n`);
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  mkdirSync(join(root, home), { recursive: true, mode: 0o755 });
  chownSync(join(root, home), uid, gid);
}

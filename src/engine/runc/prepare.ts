import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Ulimit } from '../../domain/docker-run-option.ts';
import { WherryError } from '../../domain/errors.ts';
import type { Limits } from '../../domain/quota.ts';
import { isMounted } from '../../system/mounts.ts';
import type { InstanceSpec, Mount } from '../engine.ts';
import { bundleConfig } from './bundle.ts';
import { isErrno } from './cgroup-files.ts';
import { diskAt, makeDisk, mountDisk } from './disk.ts';
import { type Driver, groupPath, type Living } from './driver.ts';
import type { InstanceFolder } from './folders.ts';
import { applyQuota, readQuota } from './group.ts';
import { namespacePath } from './namespaces.ts';
import { mountOverlay } from './overlay.ts';
import type { UserMapping } from './user-mapping.ts';

export const initPath = '/.wherry/init';

/** Brings about all that `start` needs and that is missing: after `create`, after an exit, after a reboot of the host. */
export async function prepare(driver: Driver, living: Living): Promise<void> {
  const { record } = living;
  const { network } = driver;
  const { spec } = record;
  await mappingOf(driver, living)?.prepare(spec.id, spec.mounts ?? []);
  await Promise.all([
    isMounted(rootfsOf(driver, living)) ? undefined : mountRootfs(driver, living),
    network.exists(record.network.name) ? undefined : network.restore(record.network),
  ]);
  await prepareCgroup(driver, living);
}

export async function writeBundle(driver: Driver, living: Living): Promise<void> {
  const { folder, record, cgroup } = living;
  const { spec, network } = record;
  const hosts = living.hosts ?? hostsText(spec, network.address);
  const files = await writeEtcFiles(driver, folder, { hostname: spec.hostname, hosts });
  const mapping = mappingOf(driver, living);
  const { mounts = [] } = spec;
  const config = bundleConfig({
    hostname: spec.hostname,
    rootfs: rootfsOf(driver, living),
    users: mapping,
    // Paused, it only reaps.
    argv: spec.idle ? [initPath, '-P'] : [initPath, '--', ...spec.argv],
    env: spec.env,
    workingDir: spec.workingDir,
    user: spec.user,
    limits: spec.limits,
    mounts: [
      { source: driver.host.init, target: initPath, readonly: true },
      ...files,
      ...(mapping?.sources(spec.id, mounts) ?? mounts),
    ],
    tmpfs: spec.tmpfs?.map(each => ({ size: spec.limits.memory, ...each })),
    ulimits: withinHost(driver, spec.ulimits),
    shm: spec.shm,
    readonlyRoot: spec.readonlyRoot,
    netns: namespacePath(network.name),
    cgroupsPath: cgroup,
    oomScoreAdj: driver.host.oomScoreAdj,
    ipv6: driver.host.ipv6,
    swapLimited: driver.cgroups.swapLimited,
  });
  await writeFile(folder.config, JSON.stringify(config), { mode: 0o600 });
}

/** Memory and processes are limited before the first process enters. */
export function limitCgroup(driver: Driver, path: string, limits: Limits): void {
  driver.cgroups.setMemory(path, limits.memory);
  driver.cgroups.setPids(path, limits.pids);
  driver.cgroups.setCpus(path, limits.cpus);
}

/** Folders of an instance or a sandbox. The upper folder's own mode is what `/` has inside. */
export async function makeFolders(folder: InstanceFolder, disk?: number): Promise<void> {
  await mkdir(folder.dir, { recursive: true, mode: 0o700 });
  if (disk !== undefined) await makeDisk(folder, disk);
  await Promise.all(
    [folder.bundle, folder.rootfs, folder.upper, folder.work, folder.etc].map(path =>
      mkdir(path, { mode: 0o755 }),
    ),
  );
  const tmp = join(folder.upper, 'tmp');
  await mkdir(tmp);
  // mkdir's mode is cut by our umask.
  await chmod(tmp, 0o1777);
}

/** Without a server the C library asks one on loopback, where nothing answers: names fail at once. */
const noResolver = 'options timeout:1 attempts:1\n';

/** @param known further lines */
export function hostsText(
  { hostname, hosts = [] }: Pick<InstanceSpec, 'hostname' | 'hosts'>,
  address: string | undefined,
  known = '',
): string {
  const own = hosts.map(({ name, address: given }) => `${given}\t${name}\n`);
  return `127.0.0.1\tlocalhost\n${address ?? '127.0.1.1'}\t${hostname}\n${own.join('')}${known}`;
}

/** Raising what the host gives may be forbidden here, and is never meant. */
export function withinHost(
  { host }: Pick<Driver, 'host'>,
  ulimits: readonly Ulimit[] | undefined,
): readonly Ulimit[] | undefined {
  return ulimits?.map(({ name, soft, hard }) => {
    const most = Math.min(hard, host.ulimits.get(name) ?? Number.POSITIVE_INFINITY);
    return { name, soft: Math.min(soft, most), hard: most };
  });
}

/** In place, since the file is mounted: first all that is new, then the end, so that no reader finds it empty. */
export async function writeHosts(folder: InstanceFolder, text: string): Promise<void> {
  const file = await open(join(folder.etc, 'hosts'), 'r+').catch(ignoreGone);
  if (!file) return;
  try {
    await file.write(text, 0);
    await file.truncate(Buffer.byteLength(text));
  } finally {
    await file.close();
  }
}

/** The name files that differ per instance, as read-only mounts; with `only`, these names and no others are known. */
export async function writeEtcFiles(
  driver: Pick<Driver, 'resolver'>,
  folder: InstanceFolder,
  { hostname, hosts, only }: { hostname: string; hosts: string; only?: boolean },
): Promise<readonly Mount[]> {
  const files = {
    hosts,
    hostname: `${hostname}\n`,
    'resolv.conf': only ? noResolver : driver.resolver.text,
  };
  return Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const source = join(folder.etc, name);
      await writeFile(source, text, { mode: 0o644 });
      return { source, target: `/etc/${name}`, readonly: true };
    }),
  );
}

async function mountRootfs(driver: Driver, living: Living): Promise<void> {
  const { folder, record } = living;
  const { id, layers, limits } = record.spec;
  const mapping = mappingOf(driver, living);
  const seen = async (path: string) => (mapping ? await mapping.seen(path) : path);
  if (limits.disk !== undefined) await mountDisk(folder);
  const disk = limits.disk === undefined ? undefined : await mapping?.disk(id, diskAt(folder));
  const written = (path: string) => (disk === undefined ? seen(path) : join(disk, basename(path)));
  await mountOverlay({
    lower: await Promise.all(layers.map(layer => seen(driver.layerPath(layer)))),
    upper: await written(folder.upper),
    work: await written(folder.work),
    target: rootfsOf(driver, living),
    links: join(folder.dir, 'l'),
  });
}

function rootfsOf(driver: Driver, living: Living): string {
  return mappingOf(driver, living)?.rootfs(living.record.spec.id) ?? living.folder.rootfs;
}

/** @throws unavailable when it was made where users could be mapped, and they no longer can */
function mappingOf({ mapping }: Driver, { record }: Living): UserMapping | undefined {
  if (!record.mapped || mapping) return record.mapped && mapping;
  throw new WherryError(
    'unavailable',
    `Users of instance ${record.spec.id} cannot be mapped on this host any more. Restart its app: ps:restart ${record.spec.group}.`,
  );
}

async function prepareCgroup(driver: Driver, { cgroup, record }: Living): Promise<void> {
  const { group, limits } = record.spec;
  const parent = groupPath(driver, group);
  if (!driver.cgroups.exists(parent)) {
    const quota = await readQuota(driver, group);
    driver.cgroups.make(parent);
    if (quota) applyQuota(driver, parent, quota);
  }
  driver.cgroups.make(cgroup);
  limitCgroup(driver, cgroup, limits);
}

/** It is being removed. */
function ignoreGone(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}

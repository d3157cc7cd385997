import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount, OverlayMount, Sandbox, SandboxSpec } from '../engine.ts';
import { bundleConfig } from './bundle.ts';
import { checkName } from './create.ts';
import { type Driver, groupPath, sandboxGroup } from './driver.ts';
import type { InstanceFolder } from './folders.ts';
import { type Namespace, namespacePath } from './namespaces.ts';
import { mountOverlay } from './overlay.ts';
import { initPath, limitCgroup, makeFolders, writeEtcFiles } from './prepare.ts';
import { killGroup, removeCgroup, removeFolders } from './remove.ts';
import { runStep } from './sandbox-step.ts';
import { startPause } from './start-pause.ts';

/** A build gives way to apps that serve: a quarter of an instance's share of a busy CPU. */
const cpuShares = 256;
const nobody = { uid: 65_534, gid: 65_534 };

export type OpenSandbox = {
  readonly spec: SandboxSpec;
  readonly folder: InstanceFolder;
  readonly cgroup: string;
  readonly namespace: Namespace | undefined;
  /** Host pid of its first process. */
  pausePid: number;
  /** Steps whose program may still live: what one of them left behind cannot be told from the others' processes. */
  readonly alive: Set<symbol>;
};

/** A container whose first process only waits and reaps; every step of the build is one more process in it. */
export async function openSandbox(driver: Driver, spec: SandboxSpec): Promise<Sandbox> {
  checkName(spec.id, 'Sandbox id');
  const open: OpenSandbox = {
    spec,
    folder: driver.folders.sandbox(spec.id),
    cgroup: groupPath(driver, sandboxGroup, spec.id),
    namespace: spec.network === 'none' ? undefined : await driver.network.take(),
    pausePid: 0,
    alive: new Set(),
  };
  try {
    await makeFolders(open.folder);
    const mounts = await mountAll(driver, open);
    driver.cgroups.make(open.cgroup);
    limitCgroup(driver, open.cgroup, spec.limits);
    await writeSandboxBundle(driver, open, mounts);
    open.pausePid = await startPause(driver, spec.id, open.folder);
  } catch (error) {
    await closeSandbox(driver, open);
    throw error;
  }
  return {
    id: spec.id,
    run: step => runStep(driver, open, step),
    close: () => closeSandbox(driver, open),
  };
}

/** Kills and removes what a sandbox left, also one of an earlier process of ours. */
export async function removeSandbox(
  driver: Pick<Driver, 'cgroups' | 'clock' | 'cgroupRoot' | 'folders'>,
  id: string,
) {
  const cgroup = groupPath(driver, sandboxGroup, id);
  await killGroup(driver, cgroup);
  await removeFolders(driver.folders.sandbox(id));
  await removeCgroup(driver, cgroup);
}

async function closeSandbox(driver: Driver, open: OpenSandbox): Promise<void> {
  await removeSandbox(driver, open.spec.id);
  if (open.namespace) await driver.network.release(open.namespace.name);
}

/** Overlays are mounted on the host, below the sandbox's folder, and bound into it. */
async function mountAll(driver: Driver, { spec, folder }: OpenSandbox): Promise<readonly Mount[]> {
  const rootfs = mountOverlay({
    lower: spec.layers.map(driver.layerPath),
    upper: folder.upper,
    work: folder.work,
    target: folder.rootfs,
    links: join(folder.dir, 'l'),
  });
  const mounts = spec.mounts.map((mount, place) => mountOne(folder, mount, place));
  const [, ...made] = await Promise.all([rootfs, ...mounts]);
  return made;
}

async function mountOne(folder: InstanceFolder, mount: Mount | OverlayMount, place: number): Promise<Mount> {
  if ('source' in mount) return mount;
  const target = join(folder.dir, `mount-${place}`);
  await mkdir(target);
  await mountOverlay({ ...mount, target, links: join(folder.dir, `l-${place}`) });
  return { source: target, target: mount.target, readonly: false };
}

async function writeSandboxBundle(
  driver: Driver,
  open: OpenSandbox,
  mounts: readonly Mount[],
): Promise<void> {
  const { spec, folder, cgroup, namespace } = open;
  const files = await writeEtcFiles(driver, folder, spec.hostname, namespace?.address);
  const config = bundleConfig({
    hostname: spec.hostname,
    rootfs: folder.rootfs,
    argv: [initPath, '-P'],
    env: {},
    workingDir: '/',
    user: nobody,
    limits: spec.limits,
    cpuShares,
    mounts: [{ source: driver.host.init, target: initPath, readonly: true }, ...files, ...mounts],
    ...(namespace === undefined ? {} : { netns: namespacePath(namespace.name) }),
    cgroupsPath: cgroup,
    nested: spec.nested ?? false,
    oomScoreAdj: driver.host.oomScoreAdj,
    ipv6: driver.host.ipv6,
    swapLimited: driver.cgroups.swapLimited,
  });
  await writeFile(folder.config, JSON.stringify(config), { mode: 0o600 });
}

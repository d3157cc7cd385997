import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount, OverlayMount, Sandbox, SandboxSpec } from '../engine.ts';
import { type BoundMount, bundleConfig } from './bundle.ts';
import { checkName } from './create.ts';
import { type Driver, groupPath, sandboxGroup } from './driver.ts';
import type { BuildRules } from './firewall.ts';
import type { InstanceFolder } from './folders.ts';
import { type Namespace, namespacePath } from './namespaces.ts';
import { mountOverlay, type OverlaySpec } from './overlay.ts';
import { hostsText, initPath, limitCgroup, makeFolders, writeEtcFiles } from './prepare.ts';
import { killGroup, removeCgroup, removeFolders } from './remove.ts';
import { overlayTarget, shareMount } from './sandbox-part.ts';
import { giveShareBack, takeShare } from './sandbox-share.ts';
import { runStep } from './sandbox-step.ts';
import { startPause } from './start-pause.ts';
import type { UserMapping } from './user-mapping.ts';

/** A build gives way to apps that serve: percent of an instance's share of a busy CPU, unless told. */
const usualShare = 25;
const neutralShares = 1024;
const nobody = { uid: 65_534, gid: 65_534 };

export type OpenSandbox = {
  readonly spec: SandboxSpec;
  readonly folder: InstanceFolder;
  readonly cgroup: string;
  readonly namespace: Namespace | undefined;
  /** Undefined where its users are the host's own. */
  readonly mapping: UserMapping | undefined;
  /** Host pid of its first process. */
  pausePid: number;
  /** Its network's, once they are in force. */
  rules?: BuildRules | undefined;
  /** Steps whose program may still live: what one of them left behind cannot be told from the others' processes. */
  readonly alive: Set<symbol>;
  /** While everything in it is being killed: nothing may be started then. */
  cleaning?: Promise<void> | undefined;
};

/** A container whose first process only waits and reaps; every step of the build is one more process in it. */
export async function openSandbox(driver: Driver, spec: SandboxSpec): Promise<Sandbox> {
  checkName(spec.id, 'Sandbox id');
  const open: OpenSandbox = {
    spec,
    folder: folderOf(driver, spec),
    cgroup: groupPath(driver, sandboxGroup, spec.id),
    namespace: spec.network === 'none' ? undefined : await driver.network.take('builds'),
    mapping: await mapUsers(driver, spec),
    pausePid: 0,
    alive: new Set(),
  };
  try {
    await makeFolders(open.folder);
    const [mounts] = await Promise.all([mountAll(driver, open), guard(driver, open)]);
    driver.cgroups.make(open.cgroup);
    limitCgroup(driver, open.cgroup, spec.limits);
    takeShare(driver, spec.id, spec.cpu ?? usualShare);
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
  await open.mapping?.release(open.spec.id);
  giveShareBack(driver, open.spec.id);
  const { rules, namespace } = open;
  open.rules = undefined;
  // Before the address is somebody else's.
  if (rules) await driver.network.unguard(rules);
  if (namespace) await driver.network.release(namespace.name);
}

/** What it writes into its throw-away layer may be counted with the rest of what the caller keeps. */
function folderOf(driver: Driver, { id, scratch }: SandboxSpec): InstanceFolder {
  const folder = driver.folders.sandbox(id);
  if (scratch === undefined) return folder;
  return { ...folder, upper: join(scratch, 'upper'), work: join(scratch, 'work') };
}

async function guard(driver: Driver, open: OpenSandbox): Promise<void> {
  const { spec, namespace } = open;
  if (namespace === undefined) return;
  const rules: BuildRules = {
    address: namespace.address,
    confined: spec.network === 'hosts',
    granted: (spec.reach ?? []).flatMap(({ addresses, ports }) =>
      addresses.flatMap(address => ports.map(port => ({ address, port }))),
    ),
  };
  await driver.network.guard(rules);
  open.rules = rules;
}

/** Overlays are mounted on the host, below the sandbox's folder, and bound into it. */
async function mountAll(driver: Driver, open: OpenSandbox): Promise<readonly BoundMount[]> {
  const { spec, folder } = open;
  const rootfs = mountSeen(open, {
    lower: spec.layers.map(driver.layerPath),
    upper: folder.upper,
    work: folder.work,
    target: rootfsOf(open),
    links: join(folder.dir, 'l'),
  });
  const bound = open.mapping?.sources(spec.id, boundOf(spec)) ?? boundOf(spec);
  const overlays = spec.mounts.map((mount, place) => ('source' in mount ? [] : mountOne(open, mount, place)));
  const [, ...made] = await Promise.all([rootfs, ...overlays.flat()]);
  return inOrder(spec.mounts, [...bound], made);
}

/** Binds and overlays as they were asked for: a later one may lie in an earlier one. */
function inOrder(
  asked: SandboxSpec['mounts'],
  bound: BoundMount[],
  overlays: readonly BoundMount[],
): readonly BoundMount[] {
  const left = [...overlays];
  return asked.flatMap(mount => ('source' in mount ? bound : left).shift() ?? []);
}

const boundOf = ({ mounts }: SandboxSpec): readonly Mount[] => mounts.filter(mount => 'source' in mount);

/** Inside the workshop container tools mount and map by themselves, so that one has the host's users. */
async function mapUsers(driver: Driver, spec: SandboxSpec): Promise<UserMapping | undefined> {
  const { buildMapping: mapping, mapUsers: wanted, log } = driver;
  if (!mapping || !wanted || spec.nested) return undefined;
  const overlays = spec.mounts.flatMap(mount => ('source' in mount ? [] : [...mount.lower, mount.upper]));
  const folders = [...spec.layers.map(driver.layerPath), ...overlays, folderOf(driver, spec).upper];
  if (!folders.every(mapping.covers)) return undefined;
  try {
    await mapping.prepare(spec.id, boundOf(spec));
    return mapping;
  } catch (error) {
    log.warn({ err: error, id: spec.id }, 'its users are not mapped, since a mount of it cannot be');
    await mapping.release(spec.id);
    return undefined;
  }
}

function rootfsOf({ mapping, spec, folder }: OpenSandbox): string {
  return mapping?.rootfs(spec.id) ?? folder.rootfs;
}

async function mountSeen({ mapping }: OpenSandbox, overlay: OverlaySpec): Promise<void> {
  if (!mapping) return mountOverlay(overlay);
  const [upper, work, ...lower] = await Promise.all([
    mapping.seen(overlay.upper),
    mapping.seen(overlay.work),
    ...overlay.lower.map(path => mapping.seen(path)),
  ]);
  await mountOverlay({ ...overlay, upper, work, lower });
}

async function mountOne(open: OpenSandbox, mount: OverlayMount, place: number): Promise<BoundMount> {
  const { folder } = open;
  const target = overlayTarget(folder, place);
  await mkdir(target);
  await mountSeen(open, { ...mount, target, links: join(folder.dir, `l-${place}`) });
  const { parts } = mount;
  if (parts) await shareMount(target);
  return {
    source: target,
    target: mount.target,
    readonly: parts ?? false,
    ...(parts ? { follows: true } : {}),
  };
}

async function writeSandboxBundle(
  driver: Driver,
  open: OpenSandbox,
  mounts: readonly BoundMount[],
): Promise<void> {
  const { spec, folder, cgroup, namespace } = open;
  const only = spec.network === 'hosts';
  const known = only
    ? (spec.reach ?? []).flatMap(({ name, addresses }) => addresses.map(each => `${each}\t${name}\n`))
    : [];
  const hosts = hostsText(spec, namespace?.address, known.join(''));
  const files = await writeEtcFiles(driver, folder, { hostname: spec.hostname, hosts, only });
  const config = bundleConfig({
    hostname: spec.hostname,
    rootfs: rootfsOf(open),
    users: open.mapping,
    argv: [initPath, '-P'],
    env: {},
    workingDir: '/',
    user: nobody,
    limits: spec.limits,
    cpuShares: Math.max(2, Math.round(((spec.cpu ?? usualShare) * neutralShares) / 100)),
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

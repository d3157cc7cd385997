import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import type { EngineEvent, LayerPath } from '../engine.ts';
import { adoptInstances, settleAdopted } from './adopt.ts';
import type { Driver, HostFacts } from './driver.ts';
import { createFolders } from './folders.ts';
import { meet, peersOf } from './join.ts';
import { createLatest } from './latest.ts';
import { readResolver } from './name-servers.ts';
import { openNetwork } from './network.ts';
import { openCgroups } from './open-cgroups.ts';
import { openUserMapping } from './user-mapping.ts';

export type RuncOptions = {
  readonly root: string;
  readonly tag: string;
  readonly layerPath: LayerPath;
  /** Folders that layers lie in. */
  readonly layerRoots?: readonly string[];
  readonly buildRoots?: readonly string[];
  readonly mapUsers?: boolean;
  readonly log: Log;
  readonly clock?: Clock;
};

/** Makes what is missing on the host, finds what is there. */
export async function openDriver(options: RuncOptions, emit: (event: EngineEvent) => void): Promise<Driver> {
  const {
    root,
    tag,
    layerPath,
    layerRoots = [],
    buildRoots = [],
    mapUsers = true,
    log,
    clock = systemClock,
  } = options;
  const folders = createFolders(root);
  const host = await readHostFacts();
  const cgroups = await openCgroups();
  const cgroupRoot = `/wherry-${tag}`;
  cgroups.make(cgroupRoot);
  const adopted = await adoptInstances({ folders, cgroups, cgroupRoot, clock });
  const instances = new Map(adopted.map(living => [living.record.spec.id, living]));
  const forUsers = { tag, layers: layerRoots, log };
  const mapping = await openUserMapping({ ...forUsers, whose: 'apps', written: [folders.instances] });
  const buildMapping = await openUserMapping({
    ...forUsers,
    whose: 'builds',
    written: [folders.sandboxes, ...buildRoots],
  });
  await mapping?.sweep(new Set(instances.keys()));
  await buildMapping?.sweep(new Set());
  const resolver = await readResolver();
  const network = await openNetwork({
    file: folders.network,
    tag,
    resolver,
    owned: adopted.map(living => living.record.network),
    peers: peersOf(instances),
    mappings: { apps: mapping, builds: buildMapping },
    log,
  });
  const driver: Driver = {
    tag,
    folders,
    cgroups,
    cgroupRoot,
    network,
    mapping,
    buildMapping,
    mapUsers,
    meet: createLatest(() => meet({ instances, network })),
    resolver,
    host,
    layerPath,
    clock,
    log,
    instances,
    sandboxShares: new Map(),
    emit,
  };
  if (peersOf(instances).length > 0) await driver.meet();
  await settleAdopted(driver);
  return driver;
}

async function readHostFacts(): Promise<HostFacts> {
  findProgram('conmon');
  const score = Number(await readFile('/proc/self/oom_score_adj', 'utf8'));
  return {
    runc: findProgram('runc'),
    init: findProgram('catatonit'),
    oomScoreAdj: Math.max(0, score),
    ipv6: existsSync('/proc/sys/net/ipv6/conf/all/disable_ipv6'),
    ulimits: parseLimits(await readFile('/proc/self/limits', 'utf8')),
  };
}

const limitNames: Readonly<Record<string, string>> = {
  'Max core file size': 'core',
  'Max cpu time': 'cpu',
  'Max data size': 'data',
  'Max file size': 'fsize',
  'Max locked memory': 'memlock',
  'Max msgqueue size': 'msgqueue',
  'Max open files': 'nofile',
  'Max processes': 'nproc',
  'Max stack size': 'stack',
};

/** The hard ones of `/proc/self/limits`; none where there is no limit. */
function parseLimits(text: string): ReadonlyMap<string, number> {
  const rows = text.split('\n').flatMap(line => {
    const [, words = '', hard = ''] = /^(\S.*?)\s{2,}\S+\s+(\d+)/.exec(line) ?? [];
    const name = limitNames[words];
    return name === undefined ? [] : [[name, Number(hard)] as const];
  });
  return new Map(rows);
}

/** Absolute path of a program on the PATH. @throws unavailable */
function findProgram(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const found = folders.map(folder => join(folder, name)).find(path => existsSync(path));
  if (found !== undefined) return found;
  throw new WherryError(
    'unavailable',
    `The program ${name} is missing. Install it, for example by bin/setup.`,
  );
}

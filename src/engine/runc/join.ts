import { isDeepStrictEqual } from 'node:util';
import type { Attachment } from '../../domain/network.ts';
import type { Driver, Living } from './driver.ts';
import { namesFor, type Peer } from './peers.ts';
import { hostsText, writeHosts } from './prepare.ts';
import { writeRecord } from './record.ts';

/** Changes which networks an instance is on, for it and all others. */
export async function joinNetworks(
  driver: Driver,
  living: Living,
  networks: readonly Attachment[],
): Promise<void> {
  const { record } = living;
  if (isDeepStrictEqual(record.spec.networks ?? [], networks)) return;
  living.record = { ...record, spec: { ...record.spec, networks } };
  await writeRecord(living.folder.record, living.record);
  await driver.meet();
}

/** Those that are on a network. */
export function peersOf(instances: ReadonlyMap<string, Living>): readonly Peer[] {
  return [...instances.values()].flatMap(({ record: { spec, network } }) =>
    spec.networks && spec.networks.length > 0
      ? [{ id: spec.id, address: network.address, networks: spec.networks }]
      : [],
  );
}

/**
 * Lets those that share a network reach and name each other, and nobody else: all of it anew from what instances have written
 * down, so that nothing is left of who went.
 */
export async function meet(driver: Pick<Driver, 'instances' | 'network'>): Promise<void> {
  const peers = peersOf(driver.instances);
  await driver.network.setPeers(peers);
  for (const living of [...driver.instances.values()]) {
    const { spec, network } = living.record;
    const text = hostsText(spec, network.address, namesFor({ networks: [], ...spec }, peers));
    if (text === living.hosts || (living.hosts === undefined && !spec.networks?.length)) continue;
    await writeHosts(living.folder, text);
    living.hosts = text;
  }
}

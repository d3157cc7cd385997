import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { WherryError } from '../domain/errors.ts';
import type { Manifest } from './manifest.ts';
import { clearCut, type PlaceOptions, place, readManifest, unpackedIn } from './place.ts';
import type { Restic } from './restic.ts';
import { listSnapshots, type Snapshot } from './snapshots.ts';

export type RestoreOptions = PlaceOptions & {
  /** The beginning of a backup's id; the newest one when left out. */
  readonly at?: string | undefined;
  /** Of which Wherry, where several have theirs at one place. */
  readonly source?: string | undefined;
  /** Reads everything again that was written, and compares. */
  readonly verify?: boolean;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
};

export type Restored = {
  readonly snapshot: Snapshot;
  readonly manifest: Manifest;
  /** What did not come, each a sentence. */
  readonly missing: readonly string[];
};

/** Brings a backup back into an empty data directory. One that is cut off is begun anew. */
export async function restore(restic: Restic, options: RestoreOptions): Promise<Restored> {
  const { paths, say, signal } = options;
  const snapshot = await choose(restic, options);
  const stage = snapshot.paths.find(path => path.endsWith('/backup/stage')) ?? '';
  say(`Restoring backup ${snapshot.shortId} of ${snapshot.host}, made ${snapshot.at.toISOString()}`);
  await clearCut(paths);
  const unpacked = unpackedIn(paths.data);
  await mkdir(unpacked, { recursive: true, mode: 0o700 });
  const args = [
    'restore',
    '--no-lock',
    snapshot.id,
    '--target',
    unpacked,
    ...(options.verify ? ['--verify'] : []),
  ];
  try {
    await restic.run(args, { signal, into: paths.data });
    const manifest = await readManifest(unpacked, stage);
    await place(manifest, stage, options);
    return { snapshot, manifest, missing: missingFrom(manifest, options) };
  } catch (error) {
    if (!existsSync(paths.database)) await clearCut(paths);
    await rm(unpacked, { recursive: true, force: true });
    throw error;
  }
}

/** @throws not-found, invalid when it is not said which */
async function choose(restic: Restic, { at, source, signal }: RestoreOptions): Promise<Snapshot> {
  const found = await listSnapshots(restic, signal);
  const fitting = found.filter(
    each => (at === undefined || each.id.startsWith(at)) && (source === undefined || each.source === source),
  );
  const newest = fitting.at(-1);
  if (newest === undefined)
    throw new WherryError(
      'not-found',
      at === undefined
        ? `There are no backups at ${restic.target.text}.`
        : `There is no backup ${at} at ${restic.target.text}.`,
      { hint: 'backup:list' },
    );
  if (at === undefined && new Set(fitting.map(each => each.source)).size > 1)
    throw new WherryError(
      'invalid',
      `Several Wherrys have their backups at ${restic.target.text}. Name the one that you mean with --at: ${newestOfEach(fitting).join(', ')}.`,
    );
  return newest;
}

function newestOfEach(snapshots: readonly Snapshot[]): string[] {
  const newest = new Map(snapshots.map(each => [each.source, each] as const));
  return [...newest.values()].map(
    ({ shortId, host, at }) => `${shortId} (${host}, ${at.toISOString().slice(0, 16)})`,
  );
}

function missingFrom(manifest: Manifest, { paths, openStore }: RestoreOptions): readonly string[] {
  const store = openStore(paths);
  try {
    const rebuilt = store.apps.list().flatMap(app => {
      const live = store.releases.live(app);
      const gone = live && store.images.get(live.image).layers.some(id => !hasLayer(paths.layers, id));
      return gone
        ? [`The image of app ${app.name} is not whole. Build it again: ps:rebuild ${app.name}`]
        : [];
    });
    return [
      ...rebuilt,
      ...manifest.withoutVolumes.map(name => `Storage ${name} was left out of this backup`),
      ...manifest.hostFolders
        .filter(({ path }) => !existsSync(path))
        .map(({ app, path }) => `App ${app} mounts ${path}, which this host does not have. Copy it here`),
    ];
  } finally {
    store.close();
  }
}

function hasLayer(layers: string, id: string): boolean {
  return existsSync(`${layers}/${id.replace(':', '-')}/fs`);
}

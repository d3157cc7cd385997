import { createHash } from 'node:crypto';
import type { App } from '../domain/app.ts';
import { parseVolumeMount } from '../domain/volume.ts';
import type { Store } from '../store/store.ts';
import type { Refs } from './refs.ts';

/** What a backup says of itself, inside of it: what a restore goes by, and what a drill compares with. */
export type Manifest = {
  readonly format: 1;
  /** Of Wherry. */
  readonly version: string;
  readonly madeAt: string;
  /** Where things lay on the host that it was made on. */
  readonly data: string;
  readonly cache: string;
  readonly domain: string;
  /** Whether the key that config is sealed with is in it. */
  readonly hasKey: boolean;
  readonly apps: readonly AppRecord[];
  readonly repos: Readonly<Record<string, Refs>>;
  readonly volumes: readonly { readonly name: string; readonly size: number | null }[];
  /** Names of storage that was left out. */
  readonly withoutVolumes: readonly string[];
  /** Folders of the host that apps mount, which no backup has. */
  readonly hostFolders: readonly { readonly app: string; readonly path: string }[];
};

/** An app as it was. */
export type AppRecord = {
  readonly name: string;
  readonly isStopped: boolean;
  readonly release: { readonly version: number; readonly image: string } | null;
  /** Of its config now, and of its live release's. */
  readonly config: string;
  readonly releaseConfig: string | null;
};

/** All apps, by name. */
export function recordApps(store: Store): readonly AppRecord[] {
  return store.apps.list().map(app => {
    const live = store.releases.live(app);
    return {
      name: app.name,
      isStopped: app.stopped,
      release: live ? { version: live.version, image: live.image } : null,
      config: digest(store.config.merged(app)),
      releaseConfig: live ? digest(store.releases.config(live)) : null,
    };
  });
}

/** Folders outside of the data directory that an app's instances see. */
export function hostFoldersOf(store: Store, data: string): Manifest['hostFolders'] {
  return store.apps.list().flatMap(app =>
    mountsOf(store, app, data)
      .filter(({ source }) => source.startsWith('/'))
      .map(({ source }) => ({ app: app.name, path: source })),
  );
}

function mountsOf(store: Store, app: App, data: string) {
  return store.properties.list(`app:${app.id}`, 'storage').map(text => parseVolumeMount(text, data));
}

function digest(config: Readonly<Record<string, string>>): string {
  const entries = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}

import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { Image } from '../domain/image.ts';
import { keptOf, keptProperty } from '../domain/keep.ts';
import type { Release } from '../domain/release.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';

export type ReleaseParts = {
  readonly image: Image;
  readonly config: Readonly<Record<string, string>>;
  readonly description: string;
  readonly actor: string;
  readonly commit: string | null;
  readonly sourceImage: string | null;
  /** Of a config that comes back: what was write-only in it. */
  readonly secretKeys?: readonly string[];
};

/** Image + config + processes = an immutable, numbered release. */
export function createReleases({ store, clock }: { store: Store; clock: Clock }) {
  return {
    make: (app: App, parts: ReleaseParts): Release =>
      store.transaction(() => {
        store.images.put(parts.image);
        return store.releases.create(app, { ...parts, image: parts.image.id, at: clock.now() });
      }),
    promote: (release: Release): void => store.releases.promote(release),
    fail: (release: Release): void => store.releases.fail(release),
    /** The release that was live before the live one. @throws not-found */
    previous(app: App): Release {
      const [before] = store.releases.list(app).filter(release => release.status === 'superseded');
      if (!before)
        throw new WherryError('not-found', `App ${app.name} has no earlier release to go back to.`);
      return before;
    },
    /** Forgets what is older than the app keeps, but for what still runs; fewer are kept when `most` says so. */
    prune(app: App, running: readonly number[], most = Number.POSITIVE_INFINITY): void {
      const kept = keptOf('keep-releases', store.properties.resolve(app.id, keptProperty('keep-releases')));
      store.releases.prune(app, Math.min(kept, most), running);
    },
  };
}

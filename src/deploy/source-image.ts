import type { App } from '../domain/app.ts';
import type { Store } from '../store/store.ts';

type Stores = Pick<Store, 'properties' | 'releases'>;

const key = 'git-source-image';
/** Commits again, where an image runs. */
const none = '-';

/** The image that a rebuild pulls: what was set since the last deploy, else what that was of; nothing where commits are built. */
export function sourceImageOf({ properties, releases }: Stores, app: App): string | undefined {
  const set = properties.get(`app:${app.id}`, key);
  if (set === none) return undefined;
  return set ?? releases.live(app)?.sourceImage ?? undefined;
}

/** For the next rebuild; nothing has it build the last commit. */
export function setSourceImage({ properties, releases }: Stores, app: App, image: string | undefined): void {
  const back = releases.live(app)?.sourceImage ? none : undefined;
  properties.set(`app:${app.id}`, key, image ?? back);
}

/** Once a deploy says what the app is of. */
export function forgetSourceImage({ properties }: Stores, app: App): void {
  properties.set(`app:${app.id}`, key, undefined);
}

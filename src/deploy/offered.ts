import type { App } from '../domain/app.ts';
import type { Progress, Source } from '../domain/push.ts';
import type { Release } from '../domain/release.ts';
import type { Offer } from '../receive/offers.ts';
import type { Receiver } from '../receive/receiver.ts';
import type { Store } from '../store/store.ts';

export type OfferedParts = {
  readonly store: Pick<Store, 'apps' | 'releases'>;
  readonly receiver: Pick<Receiver, 'offers'>;
  /** Build, release, run; takes the source's folder away. */
  readonly deploy: (source: Source) => Promise<Release>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/** The branch of an app that commits made here go to. */
export function branchOf(app: App): string {
  return app.deployBranch ?? 'main';
}

/**
 * Deploys a commit that was made here as a push is: the branch moves when the new version is live, and what fails leaves
 * nothing. Undefined when its files run already, unless `again`.
 */
export async function deployOffer(
  { app, offer, again }: { app: App; offer: Offer; again: boolean },
  { store, receiver, deploy, progress, signal }: OfferedParts,
): Promise<Release | undefined> {
  const offers = receiver.offers();
  try {
    const runs = offer.unchanged && store.releases.live(app)?.commit === offer.from;
    if (runs && !again) {
      progress.step('No changes detected, skipping git commit');
      return undefined;
    }
    const source = await offers.checkout(offer, { warn: progress.warn, signal });
    const release = await deploy(source);
    await offers.accept(offer);
    if (app.deployBranch === null) {
      progress.step(`Set ${offer.branch} as deploy-branch`);
      store.apps.setDeployBranch(app, offer.branch);
    }
    return release;
  } finally {
    await offers.drop(offer);
  }
}

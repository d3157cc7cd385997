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

/** Deploys a commit that no push brought as a push is: the branch moves when the new version is live. */
export async function deployOffer(
  { app, offer, origin }: { app: App; offer: Offer; origin?: string },
  parts: OfferedParts,
): Promise<Release> {
  const { receiver, deploy, signal } = parts;
  const offers = receiver.offers();
  const source = await offers.checkout(offer, signal);
  const release = await deploy(origin === undefined ? source : { ...source, origin });
  await offers.accept(offer);
  setBranch(app, offer.branch, parts);
  return release;
}

/** Makes the branch the one whose pushes deploy. */
export function setBranch(
  app: App,
  branch: string,
  { store, progress }: Pick<OfferedParts, 'store' | 'progress'>,
): void {
  if (app.deployBranch === branch) return;
  progress.step(`Set ${branch} as deploy-branch`);
  store.apps.setDeployBranch(app, branch);
}

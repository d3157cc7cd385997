import type { Builder, FetchRequest } from '../build/builder.ts';
import type { App } from '../domain/app.ts';
import type { Release } from '../domain/release.ts';
import { branchOf, deployOffer, type OfferedParts, setBranch } from './offered.ts';

export type SyncRequest = Pick<FetchRequest, 'url' | 'ref'> & {
  /** Only fetch; build and deploy; or do so when the commit is not what runs. */
  readonly build: 'no' | 'yes' | 'changed';
  /** The commit goes to the deploy branch as it is set, whatever branch it comes from. */
  readonly keepBranch: boolean;
};

export type Synced = { readonly commit: string; readonly branch: string; readonly release?: Release };

/** A commit of another repository on the app's branch, deployed as a push where that is asked for. */
export async function syncApp(
  app: App,
  { url, ref, build, keepBranch }: SyncRequest,
  parts: OfferedParts & { readonly builder: Pick<Builder, 'fetch'> },
): Promise<Synced> {
  const { store, receiver, builder, progress, signal } = parts;
  const offers = receiver.offers();
  const intake = await offers.open(app.name);
  try {
    const objects = { into: intake.quarantine, known: intake.known };
    const fetched = await builder.fetch({ app: app.name, url, ref, objects, progress, signal });
    const { commit } = fetched;
    const branch = keepBranch ? branchOf(app) : (fetched.branch ?? branchOf(app));
    const offer = await offers.offer(intake, { branch, commit });
    const runs = store.releases.live(app)?.commit === commit && offer.from === commit;
    if (build === 'changed' && runs) progress.step('Skipping build as no changes were detected');
    if (build === 'no' || (build === 'changed' && runs)) {
      await offers.accept(offer);
      setBranch(app, branch, parts);
      return { commit, branch };
    }
    return { commit, branch, release: await deployOffer({ app, offer, origin: url.href }, parts) };
  } finally {
    await offers.drop(intake);
  }
}

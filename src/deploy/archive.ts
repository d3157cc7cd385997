import type { Builder, UnpackRequest } from '../build/builder.ts';
import type { App } from '../domain/app.ts';
import type { Actor } from '../domain/push.ts';
import type { Release } from '../domain/release.ts';
import type { Author, Offer } from '../receive/offers.ts';
import { branchOf, deployOffer, type OfferedParts } from './offered.ts';

export type SentArchive = Pick<UnpackRequest, 'archive' | 'type'> & {
  /** What it is, in the commit's message. */
  readonly name: string;
  /** Whoever acts when left out. */
  readonly author?: Partial<Author>;
  readonly again: boolean;
};

type Parts = OfferedParts & {
  readonly builder: Pick<Builder, 'unpack'>;
  readonly limits: UnpackRequest['limits'];
  readonly most: UnpackRequest['most'];
  /** Of addresses of people who have told none. */
  readonly domain: string;
  readonly actor: Actor;
};

/** An archive's files as a commit on the deploy branch, deployed as a push; undefined when they run already, unless `again`. */
export async function deployArchive(app: App, sent: SentArchive, parts: Parts): Promise<Release | undefined> {
  const { store, receiver, progress } = parts;
  const offer = await offerArchive(app, sent, parts);
  try {
    const runs = offer.unchanged && store.releases.live(app)?.commit === offer.from;
    if (!runs || sent.again) return await deployOffer({ app, offer }, parts);
    progress.step('No changes detected, skipping git commit');
    return undefined;
  } finally {
    await receiver.offers().drop(offer);
  }
}

async function offerArchive(
  app: App,
  { archive, type, name, author }: SentArchive,
  { builder, receiver, limits, most, domain, actor, progress, signal }: Parts,
): Promise<Offer> {
  const files = await builder.unpack({ app: app.name, archive, type, limits, most, progress, signal });
  try {
    return await receiver.offers().commit(app.name, {
      branch: branchOf(app),
      dir: files.dir,
      message: `Files of ${name}`,
      author: { name: actor.name, email: `${actor.name}@${domain}`, ...author },
      signal,
    });
  } finally {
    await files.remove();
  }
}

import type { AppName } from '../domain/names.ts';
import type { Source } from '../domain/push.ts';

/** A commit that did not come by a push, and is not accepted yet: no ref leads to it, and nothing else sees its objects. */
export type Offer = {
  readonly app: AppName;
  /** Where it goes when it is accepted. */
  readonly branch: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Where the branch is; null when it is not there yet. */
  readonly from: string | null;
  /** Whether its files are those that the branch has now. */
  readonly unchanged: boolean;
  /** Folder with its objects. */
  readonly quarantine: string;
};

export type Author = { readonly name: string; readonly email: string };

/** Files that become a commit on top of a branch, in place of all that the branch holds. */
export type NewCommit = {
  readonly branch: string;
  /** A folder of ours with plain files, folders and links; nothing in it is changed. */
  readonly dir: string;
  readonly message: string;
  readonly author: Author;
  readonly signal: AbortSignal;
};

/** Where git's user may put objects that come from elsewhere. */
export type Intake = {
  readonly app: AppName;
  readonly quarantine: string;
  /** Folder with the objects that the app has. */
  readonly known: string;
};

/** Commits that are made here, or fetched. Callers hold the app's lock from an offer until it is accepted or dropped. */
export interface Offers {
  /** @throws invalid for a name that no repository may hold, or when there are no files */
  commit(app: AppName, files: NewCommit): Promise<Offer>;
  /** For a commit from elsewhere; the caller gives it on by `offer` or drops it. */
  open(app: AppName): Promise<Intake>;
  /** A commit whose objects are all there. @throws not-found or invalid when it is none */
  offer(intake: Intake, where: { branch: string; commit: string }): Promise<Offer>;
  checkout(offer: Offer, signal: AbortSignal): Promise<Source>;
  /** Moves the branch to it, and what a clone checks out. */
  accept(offer: Offer): Promise<void>;
  /** Forgets what was not accepted; of an accepted one, what is left of its folder. */
  drop(offer: Pick<Offer, 'quarantine'>): Promise<void>;
}

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

/** Commits that are made here. Callers hold the app's lock from an offer until it is accepted or dropped. */
export interface Offers {
  /** @throws invalid for a name that no repository may hold, or when there are no files */
  commit(app: AppName, files: NewCommit): Promise<Offer>;
  checkout(offer: Offer, options: { warn: (text: string) => void; signal: AbortSignal }): Promise<Source>;
  /** Moves the branch to it, and what a clone checks out. */
  accept(offer: Offer): Promise<void>;
  /** Forgets what was not accepted; of an accepted one, what is left of its folder. */
  drop(offer: Offer): Promise<void>;
}

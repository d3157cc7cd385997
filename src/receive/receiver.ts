import type { Readable, Writable } from 'node:stream';
import type { AppName } from '../domain/names.ts';
import type { Actor, Progress, Push, Source } from '../domain/push.ts';
import type { Offers } from './offers.ts';

/** What a push to the deploy branch leads to. A throw rejects the push; its sentence is shown to the pusher. */
export interface PushHandler {
  /** Before any object is taken: creates the app or refuses. @throws WherryError */
  admit(app: AppName, actor: Actor): Promise<void>;
  /** The branch that builds, or null when the first push decides. */
  deployBranch(app: AppName): string | null;
  setDeployBranch(app: AppName, branch: string): void;
  /** Whether builds see the commits that led to theirs, as git keeps them; never when left out. */
  keepsHistory?(app: AppName): boolean;
  /** Build, release, run, while the app's lock is held. `source.dir` is the handler's to keep or delete. */
  deploy(push: Push, source: Source, options: { progress: Progress; signal: AbortSignal }): Promise<void>;
}

/** The streams of one git session, whatever carries them. */
export type GitSession = {
  readonly app: AppName;
  readonly actor: Actor;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** GIT_PROTOCOL as the client sent it, checked: `version=N` parts only. */
  readonly protocol?: string;
  /** Aborted when the client is gone. What it pushed is deployed all the same, once that has begun. */
  readonly signal: AbortSignal;
};

/** A session that the receiver looks after. */
export type TrackedSession = GitSession & {
  /** Aborted when the receiver stops. */
  readonly ending: AbortSignal;
};

export interface Receiver {
  /** Makes repositories' home and user, starts to listen for hooks. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Runs git receive-pack; exit status. */
  receivePack(session: GitSession): Promise<number>;
  uploadPack(session: GitSession): Promise<number>;
  /** Creates the app's repository if it is missing. */
  ensure(app: AppName): Promise<void>;
  /** Gives another app, which has none, the same repository, if there is one. */
  copy(from: AppName, to: AppName): Promise<void>;
  /** Packs the app's repository, if there is one. @throws failed */
  pack(app: AppName, signal: AbortSignal): Promise<void>;
  /** Deletes the app's repository. */
  remove(app: AppName): Promise<void>;
  /** Head of a branch, or null. */
  head(app: AppName, branch: string): Promise<string | null>;
  /** Commits that do not come by a push. @throws unavailable while Wherry starts */
  offers(): Offers;
  /** Checks out an accepted commit into a fresh folder, for a rebuild. */
  checkout(app: AppName, commit: string): Promise<Source>;
}

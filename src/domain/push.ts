import type { AppName } from './names.ts';
import type { Scope } from './people.ts';

/** Who does something: a user, or `local` for the data directory's socket. Shown in releases and events. */
export type Actor = {
  readonly name: string;
  readonly via: 'ssh' | 'api' | 'local' | 'platform';
  /** Of the SSH key that they came with. */
  readonly fingerprint?: string;
  /** Name of the token that they came with. */
  readonly token?: string;
  /** What that token narrows their rights to. */
  readonly scope?: Scope;
  /** Where they came from. */
  readonly address?: string;
};

/** A commit pushed to an app's deploy branch, not yet accepted: its objects may still be in git's quarantine. */
export type Push = {
  readonly app: AppName;
  readonly branch: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly actor: Actor;
  /** Asked with `git push -o explain`: why the build runs, or does not. */
  readonly explain?: boolean;
};

/** A commit of another repository that a tree names in place of a folder. */
export type Submodule = { readonly path: string; readonly commit: string };

/** A checked-out tree of an app, on a host path of ours, every path and link of it checked. */
export type Source = {
  readonly commit: string;
  /** First line of the commit message, printable characters only. */
  readonly subject: string;
  /** Folder with the files; the builder may move it away (it becomes the app layer). */
  readonly dir: string;
  /** Milliseconds that reading and writing it took, for the trace of the deploy. */
  readonly checkoutMs: number;
  /** Whose folders are there, and empty. */
  readonly submodules?: readonly Submodule[];
  /** URL of the repository that it was fetched from; addresses of submodules may be relative to it. */
  readonly origin?: string;
};

/** Lines for the person who waits, as they happen. `step` is dokku's `----->`, `detail` its seven spaces. */
export interface Progress {
  header(text: string): void;
  step(text: string): void;
  detail(text: string): void;
  warn(text: string): void;
  /** Program output, passed on as it is, line by line. */
  raw(line: string): void;
}

import type { AppName } from '../domain/names.ts';

/** A command of Wherry's own that brings something over. */
export type Step = {
  readonly words: readonly string[];
  /** For people, where a word may be a secret. */
  readonly shown?: readonly string[];
  /** Secrets of config and certificates go this way. */
  readonly stdin?: string;
  /** What is shown in place of secrets. */
  readonly note?: string;
};

/** What is to be done for one app, or for the host. */
export type Moves = {
  readonly steps: readonly Step[];
  /** Sentences: how the code comes, and what is for later. */
  readonly later: readonly string[];
  /** Sentences: what does not come along, and what to do about it. */
  readonly left: readonly string[];
};

export type AppMoves = Moves & { readonly app: AppName };

/** All that `wherry import` found out. */
export type Plan = { readonly from: string; readonly host: Moves; readonly apps: readonly AppMoves[] };

/** Collects the moves of one app or host. */
export class Notes {
  readonly steps: Step[] = [];
  readonly later: string[] = [];
  readonly left: string[] = [];

  step(...words: readonly string[]): void {
    this.steps.push({ words });
  }
}

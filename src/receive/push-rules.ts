import { WherryError } from '../domain/errors.ts';
import type { RefUpdate } from './ref-updates.ts';

export type PushVerdict = {
  /** What builds; undefined when the push is only stored. */
  readonly deploy?: {
    readonly branch: string;
    readonly commit: string;
    readonly ref: string;
    readonly from: string | null;
  };
  /** Lines of warning for the pusher. */
  readonly notes: readonly string[];
};

/**
 * Which part of a push deploys. Force pushes do, as with Heroku and dokku; other branches and tags are stored.
 * @throws invalid for a push that deletes the deploy branch, or that brings tags alone
 */
export function judgePush(updates: readonly RefUpdate[], deployBranch: string | null): PushVerdict {
  const branch = deployBranch ?? firstBranch(updates);
  const chosen = updates.find(update => update.kind === 'branch' && update.name === branch);
  if (chosen && chosen.to === null) {
    throw new WherryError(
      'invalid',
      `Branch ${chosen.name} is the deploy branch and cannot be deleted. Choose another with git:set first.`,
    );
  }
  const [first] = updates;
  if (first && updates.every(update => update.kind === 'tag' && update.to !== null)) {
    throw new WherryError(
      'invalid',
      `Tags alone deploy nothing. Push the commit to the deploy branch: git push <remote> ${first.name}^{}:${branch ?? 'main'}`,
    );
  }
  const notes = updates
    .filter(update => update !== chosen && update.to !== null)
    .flatMap(update => note(update, branch));
  if (!chosen || chosen.to === null) return { notes };
  return { deploy: { branch: chosen.name, commit: chosen.to, ref: chosen.ref, from: chosen.from }, notes };
}

/** The first push decides the deploy branch; when it holds several, by custom. */
function firstBranch(updates: readonly RefUpdate[]): string | null {
  const pushed = updates
    .filter(update => update.kind === 'branch' && update.to !== null)
    .map(update => update.name);
  return ['main', 'master'].find(name => pushed.includes(name)) ?? pushed[0] ?? null;
}

function note(update: RefUpdate, branch: string | null): string[] {
  if (update.kind === 'tag')
    return [`Tag ${update.name} is stored but not deployed: only the deploy branch is.`];
  return [
    `Branch ${update.name} is stored; deploy did not complete, you must push to ${branch}.`,
    `For example: git push <remote> ${update.name}:${branch}`,
  ];
}

import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

/** One line of a push: where a ref was and where it shall be; `null` is "not there". */
export type RefUpdate = {
  readonly ref: string;
  readonly kind: 'branch' | 'tag';
  /** Without `refs/heads/` or `refs/tags/`. */
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
};

/** Most refs in one push. */
export const mostRefs = 100;

/** Reads the pre-receive hook's lines. @throws invalid for too many, or for a ref that is no branch or tag */
export function parseRefUpdates(lines: readonly string[], count = lines.length): RefUpdate[] {
  if (count > mostRefs) {
    throw new WherryError(
      'invalid',
      `The push holds ${count} refs; ${mostRefs} are allowed. Push one branch.`,
    );
  }
  return lines.map(parseRefUpdate);
}

function parseRefUpdate(line: string): RefUpdate {
  const match = /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/(heads|tags)\/(.+))$/.exec(line);
  const [, from = '', to = '', ref = '', folder, name = ''] = match ?? [];
  if (!match || !isRefName(name)) {
    throw new WherryError(
      'invalid',
      `Ref ${quoteForPeople(line.slice(82) || line)} is not taken. Push a branch (refs/heads/...) or a tag.`,
    );
  }
  return { ref, kind: folder === 'heads' ? 'branch' : 'tag', name, from: oid(from), to: oid(to) };
}

/** Git's own rules, again: the name becomes a path, and is shown. */
function isRefName(name: string): boolean {
  const forbidden = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.lock(\/|$)|(^|\/)\.|[./]$/;
  return name.length <= 200 && !forbidden.test(name) && !name.startsWith('-') && name !== '@';
}

function oid(text: string): string | null {
  return /^0+$/.test(text) ? null : text;
}

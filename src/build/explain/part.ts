/** Kinds of parts, as words for people. `file` counts by content, `presence` by being there. */
export const partWords = {
  rules: 'the rules of this version of Wherry',
  stack: 'the stack',
  order: 'the order of the buildpacks',
  source: 'the source',
  buildpack: 'buildpack',
  setting: 'build setting',
  option: 'build option',
  runtime: 'runtime',
  base: 'base image',
  file: '',
  presence: '',
  config: '',
} as const;

export type PartKind = keyof typeof partWords;

/** One part of the key of a build. */
export type Part = {
  readonly kind: PartKind;
  /** Tells it from others of its kind; empty where there is one. */
  readonly name: string;
  /** Changes exactly when the part does; of a value that may be a secret a keyed hash. */
  readonly print: string;
  /** What people may see of it: a version, a generation, a commit. */
  readonly shown?: string;
  /** Whether another print makes a build run. */
  readonly counts: boolean;
};

export type Change = {
  readonly kind: PartKind;
  readonly name: string;
  readonly how: 'changed' | 'new' | 'gone';
  readonly from?: string;
  readonly to?: string;
  readonly counts: boolean;
};

/** The print of an input that is not there. */
const absent = 'absent';

/** How parts differ, in the order of the newer ones. */
export function compareParts(before: readonly Part[], now: readonly Part[]): readonly Change[] {
  const old = new Map(present(before).map(part => [keyOf(part), part]));
  const left = new Set(present(now).map(keyOf));
  const changes = [
    ...present(now).flatMap(part => changeOf(old.get(keyOf(part)), part)),
    ...present(before).flatMap(part => (left.has(keyOf(part)) ? [] : [describe(part, 'gone')])),
  ];
  // Another buildpack always is another order.
  const other = changes.some(({ kind, how }) => kind === 'buildpack' && how !== 'changed');
  return changes.filter(({ kind }) => !(other && kind === 'order'));
}

function changeOf(was: Part | undefined, part: Part): readonly Change[] {
  if (was === undefined) return [describe(part, 'new')];
  if (was.print === part.print) return [];
  const from = was.shown === undefined ? {} : { from: was.shown };
  const to = part.shown === undefined ? {} : { to: part.shown };
  return [{ ...describe(part, 'changed'), ...from, ...to }];
}

function describe({ kind, name, counts }: Part, how: Change['how']): Change {
  return { kind, name, how, counts };
}

function present(parts: readonly Part[]): readonly Part[] {
  return parts.filter(({ print }) => print !== absent);
}

function keyOf({ kind, name }: Part): string {
  return `${kind}:${name}`;
}

import { createHash, createHmac } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const relative = z
  .string()
  .max(1024)
  .refine(
    path => path !== '' && !path.startsWith('/') && !path.split('/').includes('..'),
    'is not a path inside the app',
  );

export const inputsSchema = z.looseObject({
  files: z.array(relative).max(1000).default([]),
  exists: z.array(relative).max(1000).default([]),
  env: z.array(z.string().max(255)).max(1000).default([]),
});

/**
 * A buildpack's promise, beyond the CNB spec: "my outcome depends on nothing but these". `files` count by content, `exists`
 * by being there, `env` by value. It is what lets a code change skip the container.
 */
export type Inputs = {
  readonly files: readonly string[];
  readonly exists: readonly string[];
  readonly env: readonly string[];
};

/** Each input with a fingerprint of how it was; values of config only as a keyed hash. */
export type Snapshot = Readonly<Record<string, string>>;

export type Surroundings = {
  /** Folder of the app. */
  readonly dir: string;
  readonly config: Readonly<Record<string, string>>;
  /** Key of this data directory for hashes of config values. */
  readonly key: Buffer;
};

export function takeSnapshot(inputs: readonly Inputs[], around: Surroundings): Snapshot {
  const snapshot: Record<string, string> = {};
  for (const { files, exists, env } of inputs) {
    for (const path of files) snapshot[`file:${path}`] = contentOf(join(around.dir, path));
    for (const path of exists) snapshot[`exists:${path}`] = kindOf(join(around.dir, path));
    for (const name of env) snapshot[`env:${name}`] = keyedHash(around.config[name], around.key);
  }
  return snapshot;
}

/** The first input that is not as it was, in words for a person; undefined when nothing changed. */
export function firstChange(before: Snapshot, around: Surroundings): string | undefined {
  for (const [input, was] of Object.entries(before)) {
    if (printOf(input, around) === was) continue;
    const { kind, name } = splitInput(input);
    return kind === 'env' ? `config ${name}` : name;
  }
  return undefined;
}

/** The inputs of a snapshot as they are now. */
export function takeAgain(before: Snapshot, around: Surroundings): Snapshot {
  return Object.fromEntries(Object.keys(before).map(input => [input, printOf(input, around)]));
}

/** `file:package.json` and the like. */
export function splitInput(input: string): { readonly kind: string; readonly name: string } {
  const kind = input.slice(0, input.indexOf(':'));
  return { kind, name: input.slice(kind.length + 1) };
}

/** HMAC of a value, so that records can tell a change without holding what changed. */
export function keyedHash(value: string | undefined, key: Buffer): string {
  return value === undefined ? 'absent' : createHmac('sha256', key).update(value).digest('hex');
}

function printOf(input: string, around: Surroundings): string {
  const { kind, name } = splitInput(input);
  const inputs = { files: [], exists: [], env: [], ...{ [listOf(kind)]: [name] } };
  return takeSnapshot([inputs], around)[input] ?? 'absent';
}

function listOf(kind: string): keyof Inputs {
  return kind === 'file' ? 'files' : kind === 'exists' ? 'exists' : 'env';
}

function kindOf(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'absent' : stats.isDirectory() ? 'folder' : 'present';
}

function contentOf(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'absent';
  if (stats.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  if (!stats.isFile()) return 'folder';
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return createHash('sha256').update(readFileSync(handle)).digest('hex');
  } finally {
    closeSync(handle);
  }
}

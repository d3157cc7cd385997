import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { list } from '../../system/list.ts';

/** What a stack is made from. */
export type StackSpec =
  | {
      readonly kind: 'debian';
      readonly suite: string;
      /** Debian packages on top of the usual ones, in both images, sorted. */
      readonly packages: readonly string[];
      /** Changes with the recipe of this version of Wherry; a stack of another recipe is another generation. */
      readonly recipe: string;
    }
  | {
      readonly kind: 'image';
      /** Where run and build image came from, for people. */
      readonly run: string;
      readonly build: string;
    };

/** Debian packages by name, with their versions. */
export type Packages = Readonly<Record<string, string>>;

/** A stack as it was made once: a run image and a build image. Immutable; a security rebuild makes the next one. */
export type Generation = {
  readonly stack: string;
  /** 1, 2, 3 ... per stack and host. */
  readonly number: number;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly spec: StackSpec;
  /** CNB_STACK_ID, `io.buildpacks.stack.id`, and STACK of classic buildpacks. */
  readonly id: string;
  readonly distro: { readonly name: string; readonly version: string };
  /** Environment of every process in it before buildpacks add theirs. */
  readonly env: Readonly<Record<string, string>>;
  /** Layers of the run image, lowest first. */
  readonly run: readonly DiffId[];
  /** Layers of the build image, lowest first. */
  readonly build: readonly DiffId[];
  /** Of the run image and of the build image. */
  readonly packages: { readonly run: Packages; readonly build: Packages };
};

const text = z.string();
const texts = z.array(text);
const table = z.record(text, text);
const diffIds = z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/));
const schema = z.object({
  stack: text,
  number: z.int().positive(),
  madeAt: text,
  spec: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('debian'), suite: text, packages: texts, recipe: text }),
    z.object({ kind: z.literal('image'), run: text, build: text }),
  ]),
  id: text,
  distro: z.object({ name: text, version: text }),
  env: table,
  run: diffIds,
  build: diffIds,
  packages: z.object({ run: table, build: table }),
});

/** Names of stacks: lower case letters, digits, dots and hyphens, as `wherry-12`. @throws invalid */
export function parseStackName(name: string): string {
  if (/^[a-z0-9][a-z0-9.-]{0,62}$/.test(name) && !name.includes('..')) return name;
  throw new WherryError(
    'invalid',
    `Stack name ${quoteForPeople(name)} is not made of lower case letters, digits, dots and hyphens. Give for example debian-13.`,
  );
}

/** Generations of a stack that are whole, oldest first; none for a stack that there is not. `dir` holds a folder a stack. */
export function generationsOf(dir: string, stack: string): readonly Generation[] {
  const numbers = list(join(dir, stack)).flatMap(name => /^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? []);
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap(number => readGeneration(dir, stack, number) ?? []);
}

export function readGeneration(dir: string, stack: string, number: number): Generation | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(fileOf(dir, stack, number), 'utf8')));
    // The schema says of every layer id that it is one.
    return parsed.success ? (parsed.data as Generation) : undefined;
  } catch {
    return undefined;
  }
}

export function writeGeneration(dir: string, generation: Generation): void {
  const file = fileOf(dir, generation.stack, generation.number);
  mkdirSync(join(dir, generation.stack), { recursive: true });
  writeFileSync(`${file}.${process.pid}.tmp`, JSON.stringify(generation));
  renameSync(`${file}.${process.pid}.tmp`, file);
}

export function deleteGeneration(dir: string, { stack, number }: Generation): void {
  rmSync(fileOf(dir, stack, number), { force: true });
}

export function deleteStack(dir: string, stack: string): void {
  rmSync(join(dir, stack), { recursive: true, force: true });
}

/** Names of the stacks that have a generation. */
export function stacksIn(dir: string): readonly string[] {
  return list(dir)
    .filter(name => generationsOf(dir, name).length > 0)
    .sort();
}

function fileOf(dir: string, stack: string, number: number): string {
  return join(dir, parseStackName(stack), `${number}.json`);
}

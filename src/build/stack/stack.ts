import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Progress } from '../../domain/push.ts';
import type { Clock } from '../../system/clock.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import type { BaseInfo } from '../rebase-labels.ts';
import { makeBase } from './base.ts';
import { collectStacks } from './collect.ts';
import { debianSpec, makeDebian, recipeKey } from './debian.ts';
import { changedPackages } from './dpkg.ts';
import {
  deleteStack,
  type Generation,
  generationsOf,
  parseStackName,
  readGeneration,
  type StackSpec,
  stacksIn,
  writeGeneration,
} from './generation.ts';
import { importStack, type StackImages } from './image-stack.ts';
import { once } from './once.ts';
import { makePackagesLayer } from './packages.ts';
import { type PartRequest, partKey, partsIn, readPart, writePart } from './part.ts';
import { compilerPackages, revision, stackId } from './recipe.ts';
import { layersInUse, writeUsage } from './usage.ts';

export type Stack = ReturnType<typeof createStack>;
export type StackContext = {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  /** `NAME`, or `NAME@NUMBER` for one generation; the host's own stack when left out. */
  readonly base?: string | undefined;
};

/** A stack was rebuilt, or nothing was new. */
export type Rebuilt = {
  readonly generation: Generation;
  /** Names of packages whose versions changed; empty when nothing did. */
  readonly changed: readonly string[];
  readonly made: boolean;
};

export type StackOptions = {
  readonly paths: Pick<Paths, 'cache' | 'data' | 'tag'>;
  readonly layers: LayerStore;
  readonly clock: Clock;
  /** How the layers are made; with mmdebstrap and apt unless told. */
  readonly makers?: Makers;
};
export type Makers = {
  readonly base: typeof makeBase;
  readonly packages: typeof makePackagesLayer;
};

const parted = /^(.*)@([1-9]\d{0,8})$/;

/** The images that apps are built in and run in: generations of stacks in the shared cache, each made once per host. */
export function createStack(options: StackOptions) {
  const { paths, layers, clock, makers = { base: makeBase, packages: makePackagesLayer } } = options;
  const home = join(paths.cache, 'stacks');
  const dir = join(home, 'generations');
  const users = join(home, 'users');
  const pinned = new Map<string, Generation>();

  const whole = ({ run, build }: Generation) => [...run, ...build].every(layers.has);
  const current = ({ spec }: Generation) => spec.kind !== 'debian' || spec.recipe === recipeKey();
  const newest = (name: string): Generation | undefined =>
    generationsOf(dir, name)
      .filter(each => current(each) && whole(each))
      .at(-1);

  const alone = async <Result>(
    name: string,
    context: StackContext,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const onWait = () =>
      context.progress.detail(`Waiting for ${name}, which is being prepared (once per host)`);
    const lock = { dir: join(paths.cache, 'locks'), name, clock, onWait, signal: context.signal };
    return await once(lock, work);
  };

  const part = async (request: PartRequest, context: StackContext, fresh = false): Promise<DiffId> => {
    const { name, suite, ...wanted } = request;
    const key = partKey(wanted, revision);
    const known = () => {
      const found = readPart(home, key, wanted)?.layer;
      return !fresh && found && layers.has(found) ? found : undefined;
    };
    return (
      known() ??
      (await alone(key, context, async () => {
        const meanwhile = known();
        if (meanwhile) return meanwhile;
        context.progress.step(`Preparing ${name} (once per host)`);
        const work = join(paths.cache, 'tmp', key);
        const { signal } = context;
        const layer = await makers.packages({ layers, dir: work, origin: name, signal, suite, ...wanted });
        const before = readPart(home, key);
        const former = [...(before?.former ?? []), ...(before ? [before.layer] : [])].filter(
          id => id !== layer,
        );
        writePart(home, key, { layer, ...wanted, ...(former.length > 0 ? { former } : {}) });
        return layer;
      }))
    );
  };

  /** Makes the next generation of a Debian stack; the one before it again where nothing is new. Call alone. */
  const make = async (
    name: string,
    spec: Extract<StackSpec, { kind: 'debian' }>,
    context: StackContext,
    fresh: boolean,
  ): Promise<Rebuilt> => {
    const before = generationsOf(dir, name).filter(whole).at(-1);
    const made = await makeDebian({
      ...{ name, spec, layers, context, base: makers.base, part, fresh },
      dir: join(paths.cache, 'tmp', `stack-${name}`),
    });
    return await add(before, { ...made, stack: name, spec });
  };

  const add = async (
    before: Generation | undefined,
    made: Omit<Generation, 'number' | 'madeAt'>,
  ): Promise<Rebuilt> => {
    const changed = before
      ? [
          ...new Set([
            ...changedPackages(before.packages.run, made.packages.run),
            ...changedPackages(before.packages.build, made.packages.build),
          ]),
        ]
      : [];
    const same = before && isSame(before, made) && changed.length === 0;
    if (same && (made.spec.kind === 'debian' || sameLayers(before, made))) {
      const kept = new Set([
        ...before.run,
        ...before.build,
        ...[...partsIn(home).values()].map(({ layer }) => layer),
      ]);
      await layers.removeShared([...made.run, ...made.build].filter(id => !kept.has(id)));
      return { generation: before, changed: [], made: false };
    }
    const number = (generationsOf(dir, made.stack).at(-1)?.number ?? 0) + 1;
    const generation = { ...made, number, madeAt: clock.now().toISOString() };
    writeGeneration(dir, generation);
    return { generation, changed, made: true };
  };

  /** The generation that a context means; the host's own stack is made where there is none yet. @throws not-found */
  const generation = async (context: StackContext): Promise<Generation> => {
    const asked = context.base ?? stackId;
    const known = pinned.get(asked);
    if (known && whole(known)) return known;
    const [, name = asked, number] = parted.exec(asked) ?? [];
    if (number !== undefined) {
      const found = readGeneration(dir, name, Number(number));
      if (!found || !whole(found))
        throw new WherryError('not-found', `Stack ${asked} is gone from this host. Push or rebuild the app.`);
      pinned.set(asked, found);
      return found;
    }
    const found = newest(name);
    if (found) return found;
    const last = generationsOf(dir, name).at(-1);
    const spec = last?.spec ?? (name === stackId ? debianSpec() : undefined);
    if (spec?.kind !== 'debian')
      throw new WherryError('not-found', `There is no stack ${name} on this host.`, {
        hint: `stacks:build ${name}`,
      });
    return await alone(`stack-${name}`, context, async () => {
      const meanwhile = newest(name);
      if (meanwhile) return meanwhile;
      context.progress.step('Preparing the stack image (once per host)');
      return (await make(name, { ...spec, recipe: recipeKey() }, context, false)).generation;
    });
  };

  const suiteOf = ({ spec, distro }: Generation) =>
    spec.kind === 'debian' ? spec.suite : suites[`${distro.name} ${distro.version}`];

  /** The layer of packages' files on a run image, if it was made. */
  const extraOn = (run: readonly DiffId[], packages: readonly string[]): DiffId | undefined =>
    readPart(home, partKey({ base: run, packages, record: false }, revision))?.layer;

  return {
    generation,
    /** The newest generation of what a context names, held by its number: what one build or rebase works with throughout. */
    async pin(context: StackContext): Promise<string> {
      const { stack, number } = await generation(context);
      return `${stack}@${number}`;
    },
    /** Layers of the run image, lowest first. */
    run: async (context: StackContext) => (await generation(context)).run,
    /** Layers of the build image, lowest first. */
    build: async (context: StackContext) => (await generation(context)).build,
    /** One layer to put on the build image. */
    async compilers(context: StackContext): Promise<DiffId> {
      const found = await generation(context);
      const request = { name: 'the compilers', base: found.build, packages: compilerPackages, record: true };
      return await part({ ...request, suite: suiteOf(found) }, context);
    },
    /** One layer of packages' files to put on the run image. */
    async extra(names: readonly string[], context: StackContext): Promise<DiffId> {
      const found = await generation(context);
      const request = { name: names.join(', '), base: found.run, packages: names, record: false };
      return await part({ ...request, suite: suiteOf(found) }, context);
    },

    /** Every generation, by stack and oldest first. */
    list: (): readonly Generation[] => stacksIn(dir).flatMap(name => generationsOf(dir, name)),
    /** The newest generation of a stack, which builds and rebases take; undefined for a stack that there is not yet. */
    newest,
    /** Which generation an image of these layers is on: the newest that has its run image. */
    of: (name: string, run: readonly DiffId[]): Generation | undefined =>
      generationsOf(dir, name).findLast(each => each.run.join() === run.join()),
    /** Whether a rebase would change an image that is on a stack like this. */
    isBehind: ({ stack, run, packages }: BaseInfo): boolean => {
      const now = newest(stack);
      if (!now) return false;
      const renewed = Object.entries(packages).some(([layer, names]) => {
        const made = extraOn(now.run, names);
        return made !== undefined && made !== layer;
      });
      return renewed || now.run.join() !== run.join();
    },
    /** Bytes on disk of the run image, and of what the build image has on top; 0 for what is gone. */
    sizes: ({ run, build }: Generation) => {
      const sum = (ids: readonly DiffId[]) =>
        ids.filter(layers.has).reduce((total, id) => total + layers.info(id).size, 0);
      return { run_size: sum(run), build_size: sum(build.filter(id => !run.includes(id))) };
    },
    /**
     * A security rebuild: the same stack from what the mirror has now, as a new generation beside the old ones. Layers of
     * packages that apps have on top of it are made anew too. @throws not-found, invalid, failed
     */
    async rebuild(
      name: string,
      change: { readonly suite?: string | undefined; readonly packages?: readonly string[] | undefined },
      context: StackContext,
    ): Promise<Rebuilt> {
      parseStackName(name);
      return await alone(`stack-${name}`, context, async () => {
        const last = generationsOf(dir, name).at(-1);
        const spec = nextSpec(name, last?.spec, change);
        const rebuilt = await make(name, spec, context, true);
        if (rebuilt.made) return rebuilt;
        const changed = await renewParts(rebuilt.generation, context);
        return { ...rebuilt, changed };
      });
    },
    /** An image from elsewhere as the next generation of a stack. @throws invalid */
    async import(name: string, images: StackImages, context: StackContext): Promise<Rebuilt> {
      parseStackName(name);
      return await alone(`stack-${name}`, context, async () => {
        const last = generationsOf(dir, name).at(-1);
        if (name === stackId || last?.spec.kind === 'debian')
          throw new WherryError(
            'conflict',
            `Stack ${name} is made of Debian packages. Give the image another name.`,
          );
        const { signal } = context;
        const work = join(paths.cache, 'tmp', `stack-${name}`);
        return await add(last, await importStack({ name, images, before: last, layers, dir: work, signal }));
      });
    },
    /** Notes which layers the releases of this data directory hold, and deletes generations that no release on the host does. */
    async collect(held: readonly DiffId[]): Promise<void> {
      writeUsage(users, paths.tag, { data: paths.data, layers: [...new Set(held)] });
      await collectStacks({ home, dir, layers, used: layersInUse(users), now: clock.now() });
    },
    /** Deletes a stack with all its generations. @throws conflict while a release on the host is on it */
    async remove(name: string): Promise<void> {
      const mine = generationsOf(dir, parseStackName(name));
      if (mine.length === 0)
        throw new WherryError('not-found', `There is no stack ${name} on this host.`, {
          hint: 'stacks:list',
        });
      if (name === stackId)
        throw new WherryError(
          'conflict',
          `Stack ${name} is the one of this version of Wherry and is always kept.`,
        );
      const others = stacksIn(dir)
        .filter(each => each !== name)
        .flatMap(each => generationsOf(dir, each));
      const shared = new Set(others.flatMap(({ run, build }) => [...run, ...build]));
      const used = layersInUse(users);
      if (mine.some(({ run, build }) => [...run, ...build].some(id => used.has(id) && !shared.has(id))))
        throw new WherryError(
          'conflict',
          `Stack ${name} is in use by releases of apps on this host. Move them to another with stacks:use and ps:rebuild first.`,
        );
      deleteStack(dir, name);
      await collectStacks({ home, dir, layers, used, now: clock.now(), gone: mine });
    },
  };

  /** Makes layers of packages anew that lie on a generation whose own packages are the same; names of those that changed. */
  async function renewParts(found: Generation, context: StackContext): Promise<readonly string[]> {
    const used = layersInUse(users);
    const over = [found.run.join(), found.build.join()];
    const changed: string[] = [];
    for (const { layer, former: _, ...wanted } of partsIn(home).values()) {
      if (!over.includes(wanted.base.join()) || layer === found.build.at(-1)) continue;
      if (!used.has(layer)) continue;
      const name = wanted.packages.join(', ');
      const renewed = await part({ ...wanted, name, suite: suiteOf(found) }, context, true);
      if (renewed !== layer) changed.push(...wanted.packages);
    }
    return changed;
  }
}

const suites: Readonly<Record<string, string>> = {
  'debian 11': 'bullseye',
  'debian 12': 'bookworm',
  'debian 13': 'trixie',
};

function nextSpec(
  name: string,
  last: StackSpec | undefined,
  change: { readonly suite?: string | undefined; readonly packages?: readonly string[] | undefined },
): Extract<StackSpec, { kind: 'debian' }> {
  const before = last ?? (name === stackId ? debianSpec() : undefined);
  if (before?.kind === 'image')
    throw new WherryError(
      'conflict',
      `Stack ${name} is an image from elsewhere. Send its newer image with --from, or give another name.`,
    );
  if (before && change.suite !== undefined && change.suite !== before.suite)
    throw new WherryError(
      'conflict',
      `Stack ${name} is of Debian ${before.suite}, and apps on it count on that. Give ${change.suite} another name.`,
    );
  return debianSpec(change.suite ?? before?.suite, change.packages ?? before?.packages);
}

type Made = Omit<Generation, 'number' | 'madeAt'>;

function isSame(before: Generation, made: Made): boolean {
  const parts = ({ spec, id, distro, env }: Made) =>
    JSON.stringify([spec, id, distro, Object.entries(env).sort()]);
  return parts(before) === parts(made);
}

function sameLayers(before: Generation, made: Made): boolean {
  return before.run.join() === made.run.join() && before.build.join() === made.build.join();
}

import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { ImageRef } from '../../domain/image-ref.ts';
import type { Run } from '../lifecycle/run.ts';
import { rememberLayer } from '../oci/import.ts';
import { readPins, writePins } from '../pins.ts';
import type { BaseName } from './base-name.ts';
import { withHistory } from './history.ts';
import { writeLayout } from './stack-image.ts';

/** What a stage starts from, as it is now. */
export type Base = {
  /** Its name in the image builder's storage. */
  readonly local: string;
  /** Another one is other content. */
  readonly id: string;
  /** How people call it, and which one it is. */
  readonly text: string;
  readonly shown: string;
  /** Host folder of an OCI layout with it under the name `image`. `dir` is one that may be made for it. */
  readonly layout: (dir: string) => Promise<string>;
};

/**
 * Finds out what the names in a Dockerfile mean. A tag keeps the meaning that it had in the app's last build, without a word to
 * its registry, until a rebuild or --pull asks for what is newest.
 * @throws not-found, access-denied, unavailable or invalid, naming line and image
 */
export async function findBases(run: Run, names: readonly BaseName[]): Promise<readonly Base[]> {
  const { request, builds } = run;
  const file = join(builds, request.app, 'from.json');
  const renew = request.fresh || request.dockerfile?.options?.pull;
  const before = renew ? {} : readPins(file);
  const pins: Record<string, string> = {};
  const bases: Base[] = [];
  for (const name of names) {
    if (name.kind === 'stack') bases.push(await stackBase(run, name));
    else {
      const { ref } = name;
      const digest = ref.digest ?? before[ref.text] ?? (await ask(run, name));
      if (ref.digest === undefined) pins[ref.text] = digest;
      bases.push(imageBase(run, name, digest));
    }
  }
  writePins(file, pins);
  return bases;
}

type Named<Kind> = Extract<BaseName, { kind: Kind }>;

async function stackBase(run: Run, name: Named<'stack'>): Promise<Base> {
  const { request, layers, signal, builds } = run;
  const context = name.stack === undefined ? request : { ...request, base: name.stack };
  const generation = await run.stack.generation(context).catch(error => {
    throw told(error, name.line, `stack ${name.stack ?? ''}`.trim());
  });
  const content = { layers: generation.run, env: generation.env };
  return {
    local: name.local,
    id: JSON.stringify(content),
    text: name.local.replace(/^localhost\/|:latest$/g, ''),
    shown: `${generation.stack}@${generation.number}`,
    async layout(dir) {
      const made = await writeLayout({ ...content, dir, layerPath: layers.layerPath, signal });
      // Built images hold it as it was written here: its layers are known as ours when they come back.
      for (const [diffId, layer] of made) await rememberLayer(builds, diffId, layer);
      return dir;
    },
  };
}

async function ask(run: Run, { ref, line }: Named<'image'>): Promise<string> {
  const { request, registries, signal } = run;
  const found = await registries.resolve(ref, { ...request, signal }).catch(error => {
    throw told(error, line, `image ${ref.text}`);
  });
  request.progress.detail(`${ref.text} is ${found.digest}`);
  return found.digest;
}

function imageBase(run: Run, { local, ref, line }: Named<'image'>, digest: string): Base {
  const { request, registries, signal } = run;
  return {
    local,
    id: digest,
    text: ref.text,
    shown: digest.slice(0, 19),
    async layout(dir) {
      try {
        const pulled = await registries.pull({ ...ref, digest }, { ...request, signal });
        return await withHistory(pulled.dir, dir);
      } catch (error) {
        if (ref.digest === undefined && error instanceof WherryError && error.code === 'not-found')
          throw gone(run, ref, line, digest, error);
        throw told(error, line, `image ${ref.text}`);
      }
    },
  };
}

function gone({ request }: Run, ref: ImageRef, line: number, digest: string, cause: unknown): WherryError {
  return new WherryError(
    'not-found',
    `Dockerfile, line ${line}: ${ref.text} was ${digest.slice(0, 19)} when ${request.app} was last built, which its registry does not have any more. Rebuild the app to take what the tag means now.`,
    { hint: `ps:rebuild ${request.app}`, cause },
  );
}

function told(error: unknown, line: number, what: string): unknown {
  if (!(error instanceof WherryError)) return error;
  const { code, message, hint } = error;
  return new WherryError(code, `Dockerfile, line ${line}: ${what} cannot be had. ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

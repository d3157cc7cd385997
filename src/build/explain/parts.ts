import { createHash } from 'node:crypto';
import type { DiffId } from '../../domain/image.ts';
import type { Base } from '../dockerfile/bases.ts';
import type { Given } from '../dockerfile/scan.ts';
import type { Fetched } from '../fetch/fetcher.ts';
import { readBuildConfig } from '../lifecycle/build-config.ts';
import { keyedHash, type Snapshot, splitInput } from '../lifecycle/inputs.ts';
import { schema } from '../lifecycle/record.ts';
import type { Run } from '../lifecycle/run.ts';
import type { Generation } from '../stack/generation.ts';
import type { Part, PartKind } from './part.ts';

type Key = Pick<Run, 'request' | 'key'>;

/** Parts of a build by Cloud Native Buildpacks. `snapshot` is what they said they depend on; without it all counts. */
export function nativeParts(
  run: Key & Pick<Run, 'order' | 'buildConfig'>,
  parts: { generation: Generation; source: DiffId; snapshot: Snapshot | undefined },
): readonly Part[] {
  const { generation, source, snapshot } = parts;
  const inputs = Object.entries(snapshot ?? {}).map(([input, print]) => ({ ...splitInput(input), print }));
  const depended = inputs.filter(({ kind }) => kind === 'env').map(({ name }) => name);
  const buildpacks = new Map(run.order.flat().map(({ buildpack }) => [buildpack.id, buildpack]));
  const ids = run.order.map(group => group.map(({ buildpack }) => buildpack.id));
  return [
    part('rules', '', String(schema)),
    stackPart(generation),
    ...[...buildpacks.values()].map(({ id, digest, version }) => ({
      ...part('buildpack', id, digest),
      shown: version,
    })),
    part('order', '', hash(ids)),
    ...settingParts(run),
    ...inputs
      .filter(({ kind }) => kind !== 'env')
      .map(({ kind, name, print }) => part(kind === 'file' ? 'file' : 'presence', name, print)),
    ...configParts(run, name => snapshot === undefined || depended.includes(name)),
    sourcePart(run, source, snapshot === undefined),
  ];
}

/** Parts of a build by classic buildpacks, which do not say what they depend on. */
export function classicParts(
  run: Key,
  parts: { generation: Generation; stack: string; source: DiffId; buildpacks: readonly Fetched[] },
): readonly Part[] {
  const stack = stackPart(parts.generation);
  return [
    { ...stack, print: hash([stack.print, parts.stack]) },
    part('order', '', hash(parts.buildpacks.map(({ layer }) => layer))),
    ...parts.buildpacks.map(({ source: { text }, layer, pin }) => ({
      ...part('buildpack', text, layer),
      shown: pin.slice(0, 12),
    })),
    ...configParts(run, () => true),
    sourcePart(run, parts.source, true),
  ];
}

/** Parts of a build of a Dockerfile: values of arguments may be secrets. */
export function dockerfileParts(
  run: Key,
  parts: {
    bases: readonly Base[];
    source: DiffId;
    path: string;
    given: Given;
    labels: Readonly<Record<string, string>>;
  },
): readonly Part[] {
  const { args = {}, target } = parts.given;
  const options = { ...prefixed('--build-arg ', args), ...prefixed('--label ', parts.labels) };
  const all = {
    ...options,
    ...(target === undefined ? {} : { '--target': target }),
    'dockerfile-path': parts.path,
  };
  return [
    ...parts.bases.map(({ text, id, shown }) => ({ ...part('base', text, hash(id)), shown })),
    ...Object.entries(all).map(([name, value]) => part('option', name, keyedHash(value, run.key))),
    sourcePart(run, parts.source, true),
  ];
}

export function runtimeParts(runtimes: readonly { name: string; layer: DiffId }[]): readonly Part[] {
  return runtimes.map(({ name, layer }) => part('runtime', name, layer));
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

function part(kind: PartKind, name: string, print: string): Part {
  return { kind, name, print, counts: true };
}

function stackPart({ stack, number, id, distro, env, run, build }: Generation): Part {
  const print = hash([id, distro, Object.entries(env).sort(), run, build]);
  return { ...part('stack', '', print), shown: `${stack}@${number}` };
}

/** What the operator set for every build, by variable. */
function settingParts({ buildConfig, key }: Key & Pick<Run, 'buildConfig'>): readonly Part[] {
  const changes = readBuildConfig(buildConfig);
  return [...new Set(changes.map(({ name }) => name))].map(variable => {
    const own = changes.filter(({ name }) => name === variable);
    return part('setting', variable, keyedHash(JSON.stringify(own), key));
  });
}

function configParts({ request, key }: Key, counts: (name: string) => boolean): readonly Part[] {
  return Object.entries(request.config).map(([name, value]) => ({
    ...part('config', name, keyedHash(value, key)),
    counts: counts(name),
  }));
}

function sourcePart({ request: { source } }: Key, id: DiffId, counts: boolean): Part {
  return { ...part('source', '', id), shown: source.commit.slice(0, 8), counts };
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

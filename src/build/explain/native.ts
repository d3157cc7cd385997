import type { DiffId } from '../../domain/image.ts';
import { takeAgain } from '../lifecycle/inputs.ts';
import type { BuildRecord } from '../lifecycle/record.ts';
import { isLost, type ReuseQuestion } from '../lifecycle/reuse.ts';
import type { Run } from '../lifecycle/run.ts';
import type { Generation } from '../stack/generation.ts';
import { type Begun, beginExplanation, endExplanation } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { fatesByContent, type LayerFate } from './layer-fate.ts';
import { compareParts } from './part.ts';
import { nativeParts, runtimeParts } from './parts.ts';

type Asked = {
  readonly run: Run;
  readonly question: ReuseQuestion;
  readonly generation: Generation;
  /** Whether the last build stands. */
  readonly reused: boolean;
};

/** Of a build by Cloud Native Buildpacks, before anything of it runs. */
export function beginNative({ run, question, generation, reused }: Asked): Begun {
  const { last, around, source, layers } = question;
  const before = last && snapshotOf(last);
  // Of a build that stands every input is as it was.
  const snapshot = before && (reused ? before : takeAgain(before, around));
  return beginExplanation(run, {
    builder: 'buildpacks',
    parts: nativeParts(run, { generation, source, snapshot }),
    known: last !== undefined,
    reused,
    lost: last !== undefined && isLost(last, layers),
  });
}

export function endNative(
  { run, question, generation, reused }: Asked,
  done: { readonly begun: Begun; readonly record: BuildRecord; readonly fates: readonly LayerFate[] },
): Explanation {
  const { begun, record, fates } = done;
  const { last, source } = question;
  const runtimes = runtimeParts(record.runtimes);
  const ours = fatesByContent(last ? platformLayers(last) : [], platformLayers(record));
  return endExplanation(run, {
    builder: 'buildpacks',
    cause: begun.cause,
    changes: [...begun.changes, ...(last ? compareParts(runtimeParts(last.runtimes), runtimes) : [])],
    parts: [...nativeParts(run, { generation, source, snapshot: snapshotOf(record) }), ...runtimes],
    layers: [...ours, ...(reused ? reusedLayers(record) : [...fates, ...goneLayers(last, record)])],
  });
}

/** Only if every buildpack that took part said what it depends on. */
function snapshotOf({ detectSnapshot, buildSnapshot }: BuildRecord) {
  return detectSnapshot && buildSnapshot ? { ...detectSnapshot, ...buildSnapshot } : undefined;
}

function platformLayers(record: BuildRecord): readonly { layer: string; id: DiffId }[] {
  return [
    ...record.runtimes.map(({ name, layer }) => ({ layer: `runtime ${name}`, id: layer })),
    { layer: 'source', id: record.source },
    ...(record.built ? [{ layer: 'files that the build wrote beside the source', id: record.built }] : []),
    { layer: 'launcher', id: record.launcher },
  ];
}

function reusedLayers({ buildpacks }: BuildRecord): readonly LayerFate[] {
  return buildpacks.flatMap(({ id, layers }) =>
    layers
      .filter(({ diffId }) => diffId !== undefined)
      .map(({ name }): LayerFate => {
        const why = 'nothing that its buildpack depends on changed';
        return { layer: `${id}:${name}`, fate: 'reused', by: 'wherry', why };
      }),
  );
}

function goneLayers(last: BuildRecord | undefined, { buildpacks }: BuildRecord): readonly LayerFate[] {
  return (last?.buildpacks ?? []).flatMap(({ id, layers }) => {
    const still = buildpacks.find(buildpack => buildpack.id === id);
    const left = new Set(still?.layers.map(({ name }) => name));
    const gone = still
      ? ({ fate: 'gone', by: id, why: 'its buildpack made none' } as const)
      : ({ fate: 'gone', by: 'wherry', why: 'its buildpack no longer takes part' } as const);
    return layers
      .filter(({ name }) => !left.has(name))
      .map(({ name }) => ({ layer: `${id}:${name}`, ...gone }));
  });
}

import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import { findFile, type LayersView, type LayerToml } from './layer-folders.ts';
import type { WorkFolder } from './work-folder.ts';

/** Extension of a bill of materials and the media type under which a buildpack must declare it. */
export const sbomFormats: Readonly<Record<string, string>> = {
  'cdx.json': 'application/vnd.cyclonedx+json',
  'spdx.json': 'application/spdx+json',
  'syft.json': 'application/vnd.syft+json',
};

export type Sbom = {
  /** Name in the buildpack's folder. */
  readonly file: string;
  /** `launch`, `build` or the name of a layer. */
  readonly of: string;
  readonly extension: string;
};

/** Bills of materials that a buildpack left. @throws build-failed for one that it may not write */
export function readSboms(view: LayersView, buildpack: Pick<Buildpack, 'id' | 'sbomFormats'>): Sbom[] {
  const { id } = buildpack;
  const names = [view.upper, view.restored].flatMap(root => list(join(root, escapedId(id))));
  const files = [...new Set(names)].filter(name => /\.sbom\../.test(name) && findFile(view, id, name));
  return files.sort().map(file => {
    const [, of = '', extension = ''] = /^(.*?)\.sbom\.(.*)$/.exec(file) ?? [];
    const format = Object.hasOwn(sbomFormats, extension) ? sbomFormats[extension] : undefined;
    const refuse = (reason: string) => new WherryError('build-failed', `${file} of ${id} ${reason}`);
    if (format === undefined)
      throw refuse(`is no bill of materials. Name it .sbom.${Object.keys(sbomFormats).join(' or .sbom.')}.`);
    if (!buildpack.sbomFormats.includes(format))
      throw refuse(`is of a kind that its buildpack.toml does not name. Add ${format} to sbom-formats.`);
    if (!lstatSync(findFile(view, id, file) ?? '').isFile()) throw refuse('is not a plain file.');
    return { file, of, extension };
  });
}

export type SbomSource = {
  readonly id: string;
  readonly sboms: readonly Sbom[];
  readonly layers: readonly Pick<LayerToml, 'name' | 'flags'>[];
};
type Putting = { readonly view: LayersView; readonly layers: LayerStore; readonly work: WorkFolder };

/** What of them belongs into the image, below /layers/sbom/launch; undefined when nothing does. */
export async function putLaunchSboms(
  putting: Putting,
  sources: readonly SbomSource[],
): Promise<DiffId | undefined> {
  return await putFiles(
    putting,
    'launch',
    sources.flatMap(({ id, sboms, layers }) =>
      sboms.flatMap(({ file, of, extension }) => {
        const launched = layers.some(({ name, flags }) => name === of && flags.launch);
        if (of !== 'launch' && !launched) return [];
        const folder = join('layers/sbom/launch', escapedId(id), of === 'launch' ? '' : of);
        return [{ id, file, to: join(folder, `sbom.${extension}`) }];
      }),
    ),
  );
}

/** Those of layers that the next build gets back, by name; undefined when there are none. */
export async function putLayerSboms(putting: Putting, source: SbomSource): Promise<DiffId | undefined> {
  const { id, sboms, layers } = source;
  const kept = sboms.filter(({ of }) =>
    layers.some(({ name, flags }) => name === of && (flags.launch || flags.cache)),
  );
  return await putFiles(
    putting,
    escapedId(id),
    kept.map(({ file }) => ({ id, file, to: file })),
  );
}

async function putFiles(
  { view, layers, work }: Putting,
  name: string,
  files: readonly { id: string; file: string; to: string }[],
): Promise<DiffId | undefined> {
  if (files.length === 0) return undefined;
  const root = work.folder(`export/sbom-${name}`);
  for (const { id, file, to } of files) {
    mkdirSync(join(root, dirname(to)), { recursive: true });
    copyFileSync(findFile(view, id, file) ?? '', join(root, to));
    chmodSync(join(root, to), 0o644);
  }
  return await layers.put({ dir: root, scope: 'app', origin: 'sbom', owner: { uid: 0, gid: 0 } });
}

function list(dir: string): readonly string[] {
  return lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(dir) : [];
}

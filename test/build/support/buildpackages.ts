import { sha256, type TarItem, tarOf } from './oci-images.ts';
import type { RegistryHost } from './registry-host.ts';

/** A buildpack of a buildpackage: what its folder holds, by path. */
export type PackagedBuildpack = {
  readonly id: string;
  readonly version: string;
  /** Lines of buildpack.toml behind the table `buildpack`. */
  readonly toml?: string;
  /** Bash; a composite buildpack has neither. */
  readonly detect?: string;
  readonly build?: string;
  readonly more?: readonly TarItem[];
};

/** Pushes an image such as `pack buildpack package` makes: a layer each, the first is the one it is for. Its digest. */
export async function pushBuildpackage(
  host: RegistryHost,
  [repository, tag]: readonly [string, string],
  buildpacks: readonly [PackagedBuildpack, ...PackagedBuildpack[]],
  labels: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const layers = await Promise.all(buildpacks.map(layerOf));
  const versions: Record<string, Record<string, unknown>> = {};
  for (const [place, { id, version }] of buildpacks.entries()) {
    const entry = { api: '0.10', layerDiffID: sha256(layers[place] ?? Buffer.alloc(0)) };
    versions[id] = { ...versions[id], [version]: entry };
  }
  const [{ id, version }] = buildpacks;
  const all = {
    'io.buildpacks.buildpackage.metadata': { id, version, stacks: [{ id: '*' }] },
    'io.buildpacks.buildpack.layers': versions,
    ...labels,
  };
  const texts = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === 'string' ? value : JSON.stringify(value)]],
  );
  return host.push(repository, tag, { layers, config: { Labels: Object.fromEntries(texts) } });
}

async function layerOf({ id, version, toml = '', detect, build = '', more = [] }: PackagedBuildpack) {
  const home = `cnb/buildpacks/${id.replaceAll('/', '_')}/${version}`;
  const script = (text: string) => `#!/usr/bin/env bash\nset -eu\n${text}\n`;
  const descriptor = `api = "0.10"\n[buildpack]\nid = "${id}"\nversion = "${version}"\n${toml}\n`;
  const programs: TarItem[] =
    detect === undefined
      ? []
      : [
          // One program under two names, by a link, as buildpacks in compiled languages have it.
          {
            name: `${home}/bin/main`,
            mode: 0o700,
            text: script(`case $0 in */detect) ${detect} ;; *) ${build} ;; esac`),
          },
          { name: `${home}/bin/detect`, type: 'symlink', linkname: 'main' },
          { name: `${home}/bin/build`, type: 'symlink', linkname: 'main' },
        ];
  return await tarOf([{ name: `${home}/buildpack.toml`, text: descriptor }, ...programs, ...more]);
}

import type { Buildpack } from '../../../../src/build/lifecycle/buildpack.ts';

/** A buildpack that exists only as its description. */
export function aBuildpack(fields: Partial<Buildpack> = {}): Buildpack {
  return {
    id: 'a',
    version: '1.2.3',
    api: '0.10',
    dir: '/nowhere',
    digest: `sha256:${'0'.repeat(64)}`,
    targets: [{ os: 'linux', arch: '', variant: '', distros: [] }],
    execEnvs: [],
    sbomFormats: [],
    clearEnv: false,
    extended: false,
    ...fields,
  };
}

import { z } from 'zod';

/** What a buildpack runs on (CNB Buildpack API, "Targets"); an empty field means any. */
export type Target = {
  readonly os: string;
  readonly arch: string;
  readonly variant: string;
  readonly distros: readonly { readonly name: string; readonly version: string }[];
};
export type Base = Omit<Target, 'distros'> & {
  readonly distro: { readonly name: string; readonly version: string };
};

const text = z.string().max(255).default('');

export const targetsSchema = z
  .array(
    z.looseObject({
      os: text,
      arch: text,
      variant: text,
      distros: z
        .array(z.looseObject({ name: text, version: text }))
        .max(100)
        .default([]),
    }),
  )
  .max(100)
  .default([]);

export const stacksSchema = z
  .array(z.looseObject({ id: z.string() }))
  .max(100)
  .default([]);

/** What builds on a stack of that distribution run on. */
export function baseOf({ distro }: { readonly distro: Base['distro'] }): Base {
  return { os: 'linux', arch: process.arch === 'x64' ? 'amd64' : process.arch, variant: '', distro };
}

const anything: Target = { os: '', arch: '', variant: '', distros: [] };

/** A buildpack without targets is for any if its stack is "*", for Ubuntu 18.04 if it is bionic, else for any Linux. */
export function targetsOf(
  targets: readonly Target[],
  stacks: readonly { readonly id: string }[],
): readonly Target[] {
  if (targets.length > 0) return targets;
  const ofStacks = stacks.flatMap(({ id }) => {
    if (id === '*') return [anything];
    if (id !== 'io.buildpacks.stacks.bionic') return [];
    return [{ os: 'linux', arch: 'amd64', variant: '', distros: [{ name: 'ubuntu', version: '18.04' }] }];
  });
  return ofStacks.length > 0 ? ofStacks : [{ ...anything, os: 'linux' }];
}

export function fitsBase(targets: readonly Target[], base: Base): boolean {
  const same = (one: string, other: string) => one === '' || other === '' || one === other;
  return targets.some(
    ({ os, arch, variant, distros }) =>
      same(os, base.os) &&
      same(arch, base.arch) &&
      same(variant, base.variant) &&
      (distros.length === 0 ||
        distros.some(
          ({ name, version }) =>
            base.distro.name !== '' && same(name, base.distro.name) && same(version, base.distro.version),
        )),
  );
}

export function describeBase({ os, arch, distro }: Base): string {
  return `${os}/${arch}, ${`${distro.name} ${distro.version}`.trim() || 'a distribution that it does not name'}`;
}

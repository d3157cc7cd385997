import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const { ok, fail } = about('programs');

/** Program, the flag that has it tell its version, Debian's package. */
const programs = [
  ['runc', '--version', 'runc'],
  ['conmon', '--version', 'conmon'],
  ['catatonit', '--version', 'catatonit'],
  ['git', '--version', 'git'],
  ['ip', '-V', 'iproute2'],
  ['nft', '--version', 'nftables'],
  ['ssh', '-V', 'openssh-client'],
  ['mmdebstrap', '--version', 'mmdebstrap'],
  ['perl', '--version', 'perl'],
] as const;

export async function checkPrograms(host: Host): Promise<Finding[]> {
  const found = await Promise.all(
    programs.map(async ([program, flag, debian]) => ({
      ...{ program, debian },
      version: await host.version(program, flag),
    })),
  );
  const missing = found.filter(({ version }) => version === undefined);
  const there = found.flatMap(({ program, version }) =>
    version === undefined ? [] : [named(program, version)],
  );
  return [
    ...(there.length > 0 ? [ok(there.join(', '))] : []),
    ...missing.map(({ program, debian }) =>
      fail(`The program ${program} is missing`, `Run bin/setup, or: apt-get install ${debian}`),
    ),
  ];
}

function named(program: string, said: string): string {
  const version = /\d+(?:[.\d]*\d)?(?:p\d+)?/.exec(said.replace(/^\D*iproute2-/, ''))?.[0];
  return version ? `${program} ${version}` : program;
}

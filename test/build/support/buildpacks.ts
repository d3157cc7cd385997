import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TestBuildpack = {
  readonly api?: string;
  /** More lines of buildpack.toml, in the table `buildpack`. */
  readonly toml?: string;
  /** Bash; passes when left out. */
  readonly detect?: string;
  /** Bash; does nothing when left out. */
  readonly build?: string;
  /** No programs at all: a composite buildpack. */
  readonly bin?: false;
};

/** A folder of buildpacks made of shell scripts, for one test. */
export function makeBuildpacks(buildpacks: Readonly<Record<string, TestBuildpack>>): {
  dir: string;
  remove: () => void;
} {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-buildpacks-'));
  for (const [id, buildpack] of Object.entries(buildpacks)) {
    const { api = '0.10', toml = '', detect = '', build = '' } = buildpack;
    const folder = join(dir, id.replaceAll('/', '_'));
    const bin = join(folder, 'bin');
    mkdirSync(buildpack.bin === false ? folder : bin, { recursive: true });
    const descriptor = `api = "${api}"\n[buildpack]\nid = "${id}"\nversion = "1.2.3"\n${toml}\n`;
    writeFileSync(join(folder, 'buildpack.toml'), descriptor);
    if (buildpack.bin === false) continue;
    for (const [name, script] of Object.entries({ detect, build })) {
      writeFileSync(join(bin, name), `#!/usr/bin/env bash\nset -eu\n${script}\n`, { mode: 0o755 });
    }
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

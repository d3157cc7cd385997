import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecord } from '../../../src/build/lifecycle/record.ts';
import { openBench } from './bench.ts';
import { makeBuildpacks } from './buildpacks.ts';

export const buildpackFixtures = new URL('../../fixtures/buildpacks', import.meta.url).pathname;

/** The vendor's own machine: Debian's compilers, which bring Python, make what the buildpacks are delivered with. */
const vendor = {
  detect: `printf '[[requires]]\\nname = "compilers"\\n[requires.metadata]\\nbuild = true\\n' > "$2"`,
  build: `out=$CNB_LAYERS_DIR/out; mkdir -p "$out/python/bin" "$out/python/lib"
    gcc -static -O2 -Wall -Werror -o "$out/main" main.c
    cp -L "$(command -v python3)" "$out/python/bin/python3"
    stdlib=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    (cd "$stdlib/.." && find "\${stdlib##*/}" \\( -name __pycache__ -o -name test -o -name 'config-*' -o -name 'dist-packages' \\) -prune -o -type f -print0 |
      xargs -0 cp --parents -t "$out/python/lib")
    ldd "$(command -v python3)" | awk '/libexpat|libz/ { print $3 }' | xargs -r cp -L -t "$out/python/lib"
    printf '[types]\\nlaunch = true\\n' > "$out.toml"
    printf '[[processes]]\\ntype = "none"\\ncommand = ["true"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`,
};

/**
 * Folders of the buildpacks below test/fixtures/buildpacks as their vendors deliver them: with the compiled program and the
 * interpreter, neither of which is in the repository.
 */
export async function deliverBuildpacks(
  names: readonly string[],
): Promise<{ dir: string; remove: () => void }> {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-third-party-'));
  for (const name of names) cpSync(join(buildpackFixtures, name), join(dir, name), { recursive: true });
  const { dir: vendorDir, remove } = makeBuildpacks({ vendor });
  const bench = await openBench({ buildpacksDir: vendorDir, order: [[{ id: 'vendor' }]] });
  try {
    await bench.build(join(buildpackFixtures, 'native'));
    const [layer] = readRecord(bench.paths.builds, 'app')?.buildpacks[0]?.layers ?? [];
    const made = join(bench.layers.layerPath(layer?.diffId ?? 'sha256:'), 'layers/vendor/out');
    if (names.includes('cpython')) {
      cpSync(join(made, 'python'), join(dir, 'cpython/dependencies/python'), { recursive: true });
    }
    if (names.includes('native')) {
      mkdirSync(join(dir, 'native/bin'));
      cpSync(join(made, 'main'), join(dir, 'native/bin/main'));
      for (const program of ['detect', 'build']) symlinkSync('main', join(dir, 'native/bin', program));
      renameSync(join(dir, 'native/main.c'), join(dir, 'native/main.c.txt'));
    }
  } finally {
    await bench.close();
    remove();
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

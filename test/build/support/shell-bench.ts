import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { createPaths } from '../../../src/system/paths.ts';
import { leftovers } from '../../support/leftovers.ts';
import { openBench } from './bench.ts';
import { makeBuildpacks, type TestBuildpack } from './buildpacks.ts';

/** Lines of a build script that give the app a process to run. */
export const web = `printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`;

export type ShellBench = Awaited<ReturnType<typeof openShellBench>>;

/** A builder whose buildpacks are these, all of them in one group, in their order. */
export async function openShellBench(
  buildpacks: Readonly<Record<string, TestBuildpack>>,
  options: { allowHosts?: string } = {},
) {
  const { dir, remove } = makeBuildpacks(buildpacks);
  const order = [Object.keys(buildpacks).map(id => ({ id }))];
  const bench = await openBench({ buildpacksDir: dir, order, ...options });
  const { data } = bench.paths;
  return {
    ...bench,
    /** cgroup folders of its open sandboxes. */
    sandboxGroups: (controller: string) => sandboxGroups(data, controller),
    close: async () => {
      await bench.close();
      remove();
    },
  };
}

/** For the tests of a file: an app to build, and benches that leave nothing on the host when their test is over. */
export function shellBenches() {
  let closing: (() => Promise<void> | void)[] = [];
  let source = '';
  beforeEach(() => {
    source = mkdtempSync(join(tmpdir(), 'wherry-source-'));
    writeFileSync(join(source, 'file.txt'), 'content');
    closing = [() => rmSync(source, { recursive: true, force: true })];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });
  return {
    source: () => source,
    atEnd: (close: () => Promise<void> | void) => void closing.push(close),
    async open(buildpacks: Readonly<Record<string, TestBuildpack>>): Promise<ShellBench> {
      const bench = await openShellBench(buildpacks);
      closing.push(async () => {
        await bench.close();
        expect(await leftovers(bench.paths.data)).toEqual([]);
      });
      return bench;
    },
  };
}

/**
 * cgroup folders of the sandboxes that a data directory's builds have open: in the hierarchy of a controller, or in the one tree of
 * version 2.
 */
function sandboxGroups(data: string, controller: string): readonly string[] {
  const { tag } = createPaths({ data });
  const hierarchy = join('/sys/fs/cgroup', controller);
  const root = existsSync(hierarchy) ? hierarchy : '/sys/fs/cgroup';
  return ['', ...children(root)].flatMap(parent => {
    const group = join(root, parent, `wherry-${tag}`, '_sandboxes');
    return children(group).map(name => join(group, name));
  });
}

/** Host pids in a cgroup. */
export function processesIn(group: string): readonly number[] {
  return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

function children(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? [entry.name] : [],
  );
}

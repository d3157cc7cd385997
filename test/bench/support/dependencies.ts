// An app of 200 packages: its builds against `npm ci` by the same Node.js and npm, from the same registry, right after one another.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecord } from '../../../src/build/lifecycle/record.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import type { BuildBench } from '../../build/support/bench.ts';
import { openNeighbour } from '../../support/neighbour.ts';
import { run } from '../../support/run.ts';
import { ms, note } from '../report.ts';
import { makePackages, manifestsFor, type NpmPackage } from './npm-packages.ts';

const usual = 200;
/** Addresses for documentation, which nobody has. */
const [near, address, port] = ['198.51.100.1', '198.51.100.2', 8080] as const;
const registry = `http://${address}:${port}`;

/** Milliseconds beyond `npm ci`: of first builds (beyond one with an empty cache), and of builds with one dependency more (beyond one with what it had). */
export type Overheads = { readonly first: readonly number[]; readonly added: readonly number[] };

export async function dependencyOverheads(bench: BuildBench, runs: number): Promise<Overheads> {
  const packages = await makePackages(usual + runs);
  const close = await serve(packages.length);
  const source = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  const dir = mkdtempSync(join(tmpdir(), 'wherry-bench-npm-'));
  writeFileSync(join(source, 'server.js'), '');
  const config = { npm_config_registry: registry };
  const build = async (app: string, count: number) => {
    write(source, packages.slice(0, count));
    const { ms: took } = await bench.build(source, { app: parseAppName(app), config });
    return took;
  };
  try {
    // What a daemon has ready long before: the runtime, and the code that builds.
    await build('many-packages', usual);
    const npm = npmOf(bench, 'many-packages');
    const install = async (count: number, cache: string) =>
      await npm({ dir, cache: join(dir, cache), packages: packages.slice(0, count) });
    const first: number[] = [];
    const added: number[] = [];
    await install(usual, 'warm');
    for (let at = 1; at <= runs; at += 1) {
      first.push(
        overhead('first', await build(`many-packages-${at}`, usual), await install(usual, `cold-${at}`)),
      );
      const count = usual + at;
      added.push(overhead('one more', await build('many-packages', count), await install(count, 'warm')));
    }
    return { first, added };
  } finally {
    for (const folder of [source, dir]) rmSync(folder, { recursive: true, force: true });
    await close();
  }
}

function overhead(what: string, built: number, installed: number): number {
  note(`${what}: build ${ms(built)}, npm ci ${ms(installed)}`);
  return built - installed;
}

function write(dir: string, packages: readonly NpmPackage[]): void {
  for (const [name, text] of Object.entries(manifestsFor(packages, registry)))
    writeFileSync(join(dir, name), text);
}

/** `npm ci` as the app's build runs it, in a folder of this host. */
function npmOf(bench: BuildBench, app: string) {
  const record = readRecord(bench.paths.builds, app);
  const node = record?.runtimes.find(({ name, folder }) => name === 'node' && folder);
  if (!node?.folder) throw new Error('The app was built without a Node.js of its own.');
  const bin = join(bench.layers.layerPath(node.layer), 'layers', node.folder, 'bin');
  return async (install: { dir: string; cache: string; packages: readonly NpmPackage[] }) => {
    const { dir, cache, packages } = install;
    const folder = mkdtempSync(join(dir, 'app-'));
    write(folder, packages);
    const env = {
      PATH: `${bin}:${process.env['PATH']}`,
      HOME: dir,
      NODE_ENV: 'production',
      ...{ npm_config_cache: cache, npm_config_registry: registry, npm_config_loglevel: 'error' },
      ...{ npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' },
    };
    const {
      code,
      output,
      ms: took,
    } = await run('npm', ['ci', '--omit=dev'], { cwd: folder, env, timeout: 300_000 });
    if (code !== 0) throw new Error(`npm ci failed: ${output}`);
    rmSync(folder, { recursive: true });
    return took;
  };
}

/** Starts the registry; the way to end it. */
async function serve(count: number): Promise<() => Promise<void>> {
  const neighbour = await openNeighbour({ near, addresses: [address] });
  const [enter, ...inside] = neighbour.enter;
  const script = new URL('npm-registry.ts', import.meta.url).pathname;
  const node = [process.execPath, ...process.execArgv, script, address, String(port), String(count)];
  const server = spawn(enter, [...inside, ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
  const close = async () => {
    server.kill();
    await neighbour.close();
  };
  const gone = once(server, 'exit').then(() => {
    throw new Error('The registry of the bench did not start.');
  });
  gone.catch(() => {});
  try {
    await Promise.race([once(server.stdout, 'data'), gone]);
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}

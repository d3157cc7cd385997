import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import type { Clock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';
import type { Proxies } from '../../system/proxy.ts';
import type { AllowedHosts } from '../fetch/addresses.ts';
import { download } from '../fetch/download.ts';
import { type Asking, createCatalog } from './catalog.ts';
import { npmRange } from './node-version.ts';
import type { Npm } from './npm.ts';
import { arch, unpackPackage } from './shared-layer.ts';

/** Who has builds of Node: the operator's mirror, the project itself, the npm registry. */
export interface NodeSource {
  /** For people, as "nodejs.org". */
  readonly title: string;
  /** @throws unavailable when it does not answer and nothing is known from before */
  versions(asking: Asking): Promise<readonly string[]>;
  /**
   * A folder in `dir` with `bin/node`, `include`, and npm in `lib/node_modules/npm` if that is wanted.
   * @throws unavailable when it cannot be downloaded; failed when it is not what it should be
   */
  unpack(version: string, want: Wanted): Promise<string>;
}

export type Wanted = {
  readonly dir: string;
  readonly npm: boolean;
  readonly signal: AbortSignal | undefined;
};

export const nodeProject = 'https://nodejs.org/dist';

/** A distribution of the form of nodejs.org: `index.json`, and a folder a version with archives and SHASUMS256.txt. */
export function distribution(options: {
  url: string;
  /** Folder of lists. */
  dir: string;
  clock: Clock;
  caFile?: string | undefined;
  /** Hosts beside public ones: what the operator named is trusted. */
  allowed: AllowedHosts;
  proxies?: Proxies | undefined;
}): NodeSource {
  const base = options.url.replace(/\/+$/, '');
  const title = new URL(base).host;
  const catalog = createCatalog(options);
  const fetch = async (path: string, file: string, signal: AbortSignal) =>
    await download(new URL(`${base}/${path}`), file, { ...options, signal });
  const list = async (): Promise<readonly string[]> => {
    await mkdir(options.dir, { recursive: true });
    const file = join(options.dir, `index-${process.pid}-${listName(base)}.tmp`);
    try {
      await rm(file, { force: true });
      await fetch('index.json', file, AbortSignal.timeout(15_000));
      return versionsIn(await readFile(file, 'utf8'), title);
    } finally {
      await rm(file, { force: true });
    }
  };

  return {
    title,
    versions: async ({ renew }) => await catalog.versions(`dist-${listName(base)}`, list, renew),

    async unpack(version, { dir, signal = AbortSignal.timeout(300_000) }) {
      const name = `node-v${version}-linux-${arch}.tar.gz`;
      const [sums, archive, folder] = [join(dir, 'sums'), join(dir, 'archive'), join(dir, 'node')];
      for (const path of [sums, archive, folder]) await rm(path, { recursive: true, force: true });
      await fetch(`v${version}/SHASUMS256.txt`, sums, signal);
      const wanted = sumOf(await readFile(sums, 'utf8'), name);
      if (!wanted) throw new WherryError('unavailable', `${title} has no ${name}. Ask for another version.`);
      const got = await fetch(`v${version}/${name}`, archive, signal);
      if (got !== wanted)
        throw new WherryError(
          'failed',
          `${name} from ${title} is not what its SHASUMS256.txt says. Do not use it; ask who runs ${title}.`,
        );
      await mkdir(folder, { recursive: true });
      const keep = ['--no-same-owner', '--no-same-permissions', '--strip-components=1'];
      await exec('tar', ['-xzf', archive, '-C', folder, ...keep], { timeout: 120_000 });
      await rm(archive);
      return folder;
    },
  };
}

/** The registry's packages with Node's own builds, and npm in the line that goes with each. */
export function npmSource(npm: Npm): NodeSource {
  return {
    title: 'the npm registry',
    versions: async asking => await npm.versions(`node-linux-${arch}`, asking),
    async unpack(version, want) {
      const folder = join(want.dir, 'node');
      await rm(folder, { recursive: true, force: true });
      await rename(await unpackPackage(npm, `node-linux-${arch}@${version}`, want.dir, want.signal), folder);
      if (!want.npm) return folder;
      const range = npmRange(version);
      const fitting = semver.maxSatisfying([...(await npm.versions('npm', want))], range);
      if (!fitting)
        throw new WherryError(
          'unavailable',
          `No npm ${range} can be had for Node ${version}. Set another engines.node.`,
        );
      await mkdir(join(folder, 'lib/node_modules'), { recursive: true });
      const files = await unpackPackage(npm, `npm@${fitting}`, want.dir, want.signal);
      await rename(files, join(folder, 'lib/node_modules/npm'));
      return folder;
    },
  };
}

const indexSchema = z.array(z.looseObject({ version: z.string(), files: z.array(z.string()) }));

function versionsIn(text: string, title: string): readonly string[] {
  try {
    return indexSchema
      .parse(JSON.parse(text))
      .filter(({ files }) => files.includes(`linux-${arch}`))
      .flatMap(({ version }) => semver.valid(version) ?? []);
  } catch (cause) {
    throw new WherryError(
      'unavailable',
      `${quoteForPeople(title)} has no list of Node's versions. Check the URL of the mirror.`,
      { cause },
    );
  }
}

/** A line is a sum in hexadecimal, two blanks and a name. */
function sumOf(text: string, name: string): string | undefined {
  const line = text.split(/\r?\n/).find(each => each.slice(64).replace(/^[ *]+/, '') === name);
  const sum = line?.slice(0, 64).toLowerCase();
  return sum && /^[0-9a-f]{64}$/.test(sum) ? sum : undefined;
}

function listName(base: string): string {
  return base.replace(/^https?:\/\//, '').replace(/[^a-zA-Z0-9.-]+/g, '_');
}

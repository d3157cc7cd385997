import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { type BuildpackHost, type Files, openBuildpackHost, writeFiles } from '../support/buildpack-host.ts';
import { buildpackFixtures } from '../support/third-party.ts';

// A buildpack of Heroku's classic kind in the style of the official ones, which are out of reach of tests: helpers that are
// sourced, a cache, config from ENV_DIR, `export`, `.profile.d`, and a release with addons, config and default processes.

let bench: BuildBench;
let host: BuildpackHost;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-third-party-'));
  host = await openBuildpackHost(join(root, 'host'));
  const dir = join(buildpackFixtures, 'classic');
  const names = ['bin/common.sh', 'bin/detect', 'bin/compile', 'bin/release', 'lib/lang'];
  await host.commit(
    'lang',
    Object.fromEntries(names.map(name => [name, readFileSync(join(dir, name), 'utf8')])),
  );
  await host.commit('after', {
    'bin/detect': '#!/bin/sh\necho After\n',
    'bin/compile': '#!/bin/sh\nlang --version | sed "s|^|seen from $LANG_HOME: |"\n',
  });
  bench = await openBench({ allowHosts: host.host });
});
afterAll(async () => {
  await bench?.close();
  await host?.close();
  rmSync(root, { recursive: true, force: true });
});

const build = async (
  options: { config?: Record<string, string>; names?: readonly string[]; files?: Files } = {},
) =>
  await bench.build(mkdtempSync(join(root, 'source-')), {
    app: parseAppName('lang'),
    buildpacks: (options.names ?? ['lang']).map(name => `${host.url}/smart/${name}.git`),
    config: options.config ?? {},
    change: dir => writeFiles(dir, { 'app.lang': 'version: 7.1\n', ...options.files }),
  });

describe('a classic buildpack in the official style', () => {
  it('builds an app that runs with its own tools, environment and default process', async () => {
    const { image, output } = await build({
      config: { LANG_BUILD_TASK: 'built it', PATH: '/poisoned', LANG_MODE: 'staging' },
    });
    expect(output).toEqual(
      expect.arrayContaining([
        '-----> Building on the wherry-12 stack',
        '       Unpacking Lang 7.1',
        '       lang 7.1',
        '-----> Done in /app',
      ]),
    );
    expect(output.some(line => line.includes('poisoned') || line.includes('PATH came from'))).toBe(false);
    expect(image.processes.map(({ type }) => type)).toEqual(['console', 'web']);
    const text = async (env: Record<string, string>) => {
      let got = '';
      await bench.run(
        image,
        'web',
        async base => {
          got = await (await fetchSoon(base)).text();
        },
        env,
      );
      return got;
    };
    const home = 'LANG_HOME=/app/.heroku/lang';
    const release = 'LANG_DEFAULT=from release HOME=/app\nbuilt it\n';
    expect(await text({})).toBe(`${home} LANG_MODE=production ${release}`);
    expect(await text({ LANG_MODE: 'staging' })).toBe(`${home} LANG_MODE=staging ${release}`);
  });

  it('finds its cache, and gives what it exports to the next one', async () => {
    const { output } = await build({
      names: ['lang', 'after'],
      files: { Procfile: 'web: lang serve $PORT' },
    });
    expect(output).toContain('       Using Lang 7.1 from cache');
    expect(output).toContain('seen from /app/.heroku/lang: lang 7.1');
  });

  it('is fetched once and never changed by a build', async () => {
    const asked = host.requests.length;
    const { output } = await build({ config: { AGAIN: '1' } });
    expect(output).toContain('       Using Lang 7.1 from cache');
    expect(host.requests.length).toBe(asked);
    expect(readdirSync(join(buildpackFixtures, 'classic'))).toEqual(['bin', 'lib']);
  });
});

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';
import { cacheGem } from './support/gem.ts';

let bench: BuildBench;
let work: string;
let app: string;

beforeAll(async () => {
  bench = await openBench();
  work = mkdtempSync(join(tmpdir(), 'wherry-ruby-'));
  app = join(work, 'app');
  cpSync(join(fixtures, 'ruby'), app, { recursive: true });
  await cacheGem(app, { name: 'boat', version: '1.0.0' });
  await cacheGem(app, { name: 'rackup', version: '2.1.0' });
});
afterAll(async () => {
  await bench.close();
  rmSync(work, { recursive: true, force: true });
});

const name = (text: string) => parseAppName(text);
const replace = (file: string, from: string, to: string) =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));

describe('a Rack app with gems made by hand in vendor/cache, as no gem registry is within reach', () => {
  it('installs them by the lock file, without compilers, and answers through config.ru', async () => {
    const { image, output } = await bench.build(app, { app: name('rack') });
    expect(output.join('\n')).toContain('Installing gems from vendor/cache');
    expect(image.processes.map(({ type }) => type)).toEqual(['web']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(`${base}/sea`)).text()).toMatch(
        /^Hello from a gem in Ruby at \/sea, Ruby 3\.1\.\d+, production, arenas 2$/,
      );
    });
    const record = readFileSync(join(bench.paths.builds, 'rack/record.json'), 'utf8');
    expect(record).not.toContain('"compilers"');
  });

  it('starts no container when only code changed', async () => {
    await bench.build(app, { app: name('rack') });
    const { output, sandboxes } = await bench.build(app, {
      app: name('rack'),
      change: dir => appendFileSync(join(dir, 'config.ru'), '\n# one more line\n'),
    });
    expect(sandboxes).toBe(0);
    expect(output.join('\n')).toContain('Reusing dependencies: Gemfile, Gemfile.lock');
  });

  it('keeps the gems when a file beside them changed, and gives the same image when built afresh', async () => {
    const first = await bench.build(app, { app: name('rack') });
    const change = (dir: string) =>
      writeFileSync(join(dir, 'Procfile'), 'web: rackup -o 0.0.0.0 -p $PORT config.ru\n');
    const { image, output } = await bench.build(app, { app: name('rack'), change });
    expect(output.join('\n')).toContain('Reusing gems: Gemfile, Gemfile.lock and Ruby are unchanged');
    await bench.run(image, 'web', async base => expect((await fetchSoon(base)).status).toBe(200));
    const other = await bench.build(app, { app: name('other') });
    expect(other.image.id).toBe(first.image.id);
  });

  it('compiles a gem in C and runs it without compilers in the image', async () => {
    const sea = join(work, 'sea');
    cpSync(app, sea, { recursive: true });
    await cacheGem(sea, { from: 'boat-in-c', name: 'boat', version: '1.0.0' });
    const { image } = await bench.build(sea, { app: name('compiled') });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from a gem in C at /');
    });
    const files = image.layers.map(layer => bench.layers.layerPath(layer));
    expect(files.some(dir => existsSync(join(dir, 'usr/bin/gcc')))).toBe(false);
  });
});

describe('a Rails app, with a Rails of the test', () => {
  it('is served in production with assets whose cache is kept between builds', async () => {
    const rails = join(work, 'rails');
    cpSync(app, rails, { recursive: true });
    const versions = { railties: '7.0.0', sprockets: '4.0.0' };
    for (const [gem, version] of Object.entries(versions)) {
      await cacheGem(rails, { from: gem === 'railties' ? gem : 'boat', name: gem, version });
      appendFileSync(join(rails, 'Gemfile'), `gem "${gem}"\n`);
      replace(join(rails, 'Gemfile.lock'), '\nPLATFORMS', `    ${gem} (${version})\n\nPLATFORMS`);
      replace(join(rails, 'Gemfile.lock'), '\nRUBY VERSION', `  ${gem}\n\nRUBY VERSION`);
    }
    mkdirSync(join(rails, 'config'));
    for (const file of ['config/application.rb', 'Rakefile']) writeFileSync(join(rails, file), '');
    await bench.build(rails, { app: name('rails') });
    const { image, output } = await bench.build(rails, {
      app: name('rails'),
      change: dir => writeFileSync(join(dir, 'more.rb'), ''),
    });
    expect(output.join('\n')).toContain('compiling for production');
    expect(image.processes.map(({ type }) => type)).toEqual(['console', 'web']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('production, assets compiled 2 times, logs enabled');
    });
  });
});

describe('a Ruby app that cannot be built', () => {
  const build = (change: (dir: string) => void) => bench.build(app, { app: name('wrong'), change });

  it('is told that a lock file is missing', async () => {
    await expect(build(dir => rmSync(join(dir, 'Gemfile.lock')))).rejects.toThrow(
      /^Gemfile\.lock is missing, .* Run bundle install and commit Gemfile\.lock\.$/,
    );
  });

  it('is told that no server is there for config.ru', async () => {
    const withoutServer = (dir: string) => {
      for (const file of ['Gemfile', 'Gemfile.lock'])
        writeFileSync(join(dir, file), readFileSync(join(dir, file), 'utf8').replace(/^.*rackup.*\n/gm, ''));
    };
    await expect(build(withoutServer)).rejects.toThrow(
      'Gemfile.lock holds no server for config.ru. Add gem "puma" to Gemfile',
    );
  });

  it('is told which gem is missing from a lock file that is out of step', async () => {
    await expect(build(dir => appendFileSync(join(dir, 'Gemfile'), 'gem "anchor"\n'))).rejects.toThrow(
      'Gemfile.lock is out of step with Gemfile: anchor is missing from it. Run bundle install and commit Gemfile.lock.',
    );
  });

  it('is told which version can be had when another is asked for', async () => {
    await expect(build(dir => writeFileSync(join(dir, '.ruby-version'), 'ruby-3.3.0\n'))).rejects.toThrow(
      /^Ruby version "3\.3\.0" in \.ruby-version cannot be had\. Set it to 3\.1, which is Ruby 3\.1\.\d+ here\.$/,
    );
    await expect(build(dir => replace(join(dir, 'Gemfile'), '">= 3.1"', '"3.3.0"'))).rejects.toThrow(
      /^Ruby version "3\.3\.0" in Gemfile cannot be had\. Write ruby "~> 3\.1\.0" there: what can be had is Ruby 3\.1\.\d+\.$/,
    );
  });
});

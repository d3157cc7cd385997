import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppName, parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const managers = [
  { name: 'pnpm', lock: 'pnpm-lock.yaml', says: 'pnpm 10.', install: 'pnpm install --frozen-lockfile' },
  { name: 'yarn', lock: 'yarn.lock', says: 'yarn 1.22.', install: 'yarn install --frozen-lockfile' },
  { name: 'yarn-berry', lock: 'yarn.lock', says: 'yarn 4.18.1', install: 'yarn install' },
  { name: 'bun', lock: 'bun.lock', says: 'bun 1.', install: 'bun install --frozen-lockfile' },
] as const;
/** Of the archive of pnpm 9.15.9 in the registry. */
const pnpmHash = Buffer.from(
  'aARhQYk8ZvrQHAeSMRKOmvuJ74fiaR1p5NQO7iKJiClf1GghgbrlW1hBjDolO95lpQXsfF+UA+zlzDzTfc8lMQ==',
  'base64',
).toString('hex');
const folder = (name: string) => join(fixtures, `node-${name}`);

describe.each(managers)('an app whose lock file is of $name', ({ name, lock, says, install }) => {
  const app = parseAppName(`node-${name}`);
  const withBuildScript = (dir: string) =>
    edit(dir, manifest => {
      const build = `node -e "require('fs').writeFileSync('built.txt', String(require('is-number')(7)))"`;
      manifest['scripts'] = { start: 'node server.js', build };
    });

  it('gets its dependencies without those of development, and answers', async () => {
    const { image, output } = await bench.build(folder(name), { app });
    expect(output.join('\n')).toContain(says);
    expect(output.join('\n')).toContain(`Installing dependencies with ${install}`);
    expect(image.processes[0]?.command).toEqual(['node', 'server.js']);
    await answers(app, '1m pruned not built production');
  });

  it('is built again after a code change without any container', async () => {
    await bench.build(folder(name), { app });
    const { sandboxes } = await bench.build(folder(name), {
      app,
      change: dir => appendFileSync(join(dir, 'server.js'), '\n'),
    });
    expect(sandboxes).toBe(0);
  });

  it('runs its build script with development dependencies, and installs nothing again for code', async () => {
    const scripted = parseAppName(`node-${name}-built`);
    await bench.build(folder(name), { app: scripted, change: withBuildScript });
    const { image, output } = await bench.build(folder(name), {
      app: scripted,
      change: dir => {
        withBuildScript(dir);
        appendFileSync(join(dir, 'server.js'), '\n');
      },
    });
    expect(output.join('\n')).toContain('Reusing dependencies (build-deps)');
    expect(output.join('\n')).not.toContain('Installing dependencies');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m pruned true production');
    });
  });

  it('is refused when the lock file is out of step, naming the package and the remedy', async () => {
    const build = bench.build(folder(name), {
      app: parseAppName('drifted'),
      change: dir =>
        edit(dir, manifest => {
          manifest['dependencies'] = { ms: '2.1.3', 'is-odd': '^3.0.0' };
        }),
    });
    const program = name === 'yarn-berry' ? 'yarn' : name;
    await expect(build).rejects.toThrow(
      `${lock} is out of step with package.json: is-odd@^3.0.0 is missing from it. Run ${program} install and commit ${lock}.`,
    );
  });

  async function answers(named: AppName, text: string): Promise<void> {
    const { image } = await bench.build(folder(name), { app: named });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe(text);
    });
  }
});

describe("an app with Yarn's Plug'n'Play", () => {
  it('runs from the packed cache, whether node or yarn starts it', async () => {
    const change = (dir: string) => rmSync(join(dir, '.yarnrc.yml'));
    const { image } = await bench.build(folder('yarn-berry'), { app: parseAppName('pnp'), change });
    for (const command of [
      ['node', 'server.js'],
      ['yarn', 'start'],
    ]) {
      const started = { ...image, processes: image.processes.map(process => ({ ...process, command })) };
      await bench.run(started, 'web', async base => {
        expect(await (await fetchSoon(base)).text()).toBe('1m pruned not built production');
      });
    }
  });
});

describe('an app that Bun runs', () => {
  it('is started by Bun, TypeScript as it is', async () => {
    const { image } = await bench.build(folder('bun'), {
      app: parseAppName('bun-runs'),
      change: dir => {
        const server = `import ms from 'ms';
          const text: string = ms(60_000) + ' ' + (process.versions.bun ? 'Bun' : 'Node');
          Bun.serve({ port: process.env.PORT, fetch: () => new Response(text) });`;
        writeFileSync(join(dir, 'index.ts'), server);
        rmSync(join(dir, 'server.js'));
        edit(dir, manifest => {
          manifest['scripts'] = {};
        });
      },
    });
    expect(image.processes[0]?.command).toEqual(['bun', 'index.ts']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m Bun');
    });
  });
});

describe('development dependencies', () => {
  const build = `node -e "try { require('is-number'); console.log('whole') } catch { console.log('without') }"`;
  const built = async (name: string, config: Record<string, string>) =>
    await bench.build(folder(name), {
      app: parseAppName('development'),
      config,
      change: dir =>
        edit(dir, manifest => Object.assign(manifest, { scripts: { start: 'node server.js', build } })),
    });

  it.each([
    ['pnpm', { NPM_CONFIG_PRODUCTION: 'false' }],
    ['yarn', { YARN_PRODUCTION: 'false' }],
    ['yarn-berry', { YARN_PRODUCTION: 'false' }],
  ])('of an app of %s stay where %j says so', async (name, config) => {
    const { image, output } = await built(name, config);
    expect(output.join('\n')).toContain('whole');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('is-number');
    });
  });

  it('are not even there for the build script where NPM_CONFIG_PRODUCTION is true', async () => {
    const { output } = await built('pnpm', { NPM_CONFIG_PRODUCTION: 'true' });
    expect(output.join('\n')).toContain('without');
  });
});

describe('what earlier builds have kept', () => {
  it('is not used where NODE_MODULES_CACHE is false', async () => {
    const build = async (config: Record<string, string>) =>
      await bench.build(folder('pnpm'), {
        app: parseAppName('uncached'),
        config,
        change: dir => appendFileSync(join(dir, 'server.js'), '\n'),
      });
    await build({});
    for (const again of [1, 2]) {
      const { output } = await build({ NODE_MODULES_CACHE: 'false', AGAIN: String(again) });
      expect(output.join('\n')).toContain('Installing dependencies with pnpm install');
    }
  });
});

describe('a workspace of pnpm', () => {
  it('keeps nothing of what only the build script of a package needs', async () => {
    const { image, output } = await bench.build(folder('pnpm'), {
      app: parseAppName('workspace-built'),
      change: dir => {
        rmSync(join(dir, 'pnpm-lock.yaml'));
        writeFileSync(join(dir, 'pnpm-workspace.yaml'), 'packages:\n  - packages/*\n');
        mkdirSync(join(dir, 'packages/words'), { recursive: true });
        const words = {
          name: 'words',
          version: '1.0.0',
          scripts: {
            build: `node -e "require('fs').writeFileSync('word.txt', String(require('is-number')(7)))"`,
          },
          devDependencies: { 'is-number': '^7.0.0' },
        };
        writeFileSync(join(dir, 'packages/words/package.json'), JSON.stringify(words));
        const server = `const { existsSync, readFileSync } = require('node:fs');
        require('node:http').createServer((_, response) => {
          const left = existsSync('packages/words/node_modules/is-number');
          response.end([require('ms')(60_000), readFileSync('packages/words/word.txt'), left].join(' '));
        }).listen(process.env.PORT);`;
        writeFileSync(join(dir, 'server.js'), server);
        edit(dir, manifest => {
          manifest['devDependencies'] = {};
          manifest['scripts'] = { start: 'node server.js', build: 'pnpm -r --filter words run build' };
        });
      },
    });
    expect(output.join('\n')).toContain('Removing development dependencies');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m true false');
    });
  });

  it('is installed where its packages are, and one of them answers', async () => {
    const { image, output } = await bench.build(folder('pnpm'), {
      app: parseAppName('workspace'),
      change: dir => {
        rmSync(join(dir, 'pnpm-lock.yaml'));
        writeFileSync(join(dir, 'pnpm-workspace.yaml'), 'packages:\n  - packages/*\n');
        mkdirSync(join(dir, 'packages/words'), { recursive: true });
        writeFileSync(join(dir, 'packages/words/package.json'), '{"name":"words","version":"1.0.0"}');
        writeFileSync(join(dir, 'packages/words/index.js'), "module.exports = 'from the workspace';\n");
        const server = `require('node:http').createServer((_, response) => {
          response.end(require('ms')(60_000) + ' ' + require('words'));
        }).listen(process.env.PORT);`;
        writeFileSync(join(dir, 'server.js'), server);
        edit(dir, manifest => {
          manifest['dependencies'] = { ms: '2.1.3', words: 'workspace:*' };
        });
      },
    });
    expect(output.join('\n')).toContain("Installing dependencies in the app's folder");
    expect(output.join('\n')).toContain('There is no pnpm-lock.yaml');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('1m from the workspace');
    });
  });
});

describe('the package manager', () => {
  const build = async (name: string, change: (dir: string) => void) =>
    await bench.build(folder(name), { app: parseAppName('manager'), change });

  it('is not guessed when there are two lock files', async () => {
    const change = (dir: string) => writeFileSync(join(dir, 'package-lock.json'), '{}');
    await expect(build('yarn', change)).rejects.toThrow(
      'Both package-lock.json and yarn.lock are in the repository, so it is unclear whether npm or yarn installs. Keep the one that you use and remove the other.',
    );
  });

  it.each([
    [
      'npm@10.9.0',
      /packageManager in package\.json is npm, which does not read pnpm-lock\.yaml\. Run npm install/,
    ],
    [
      'pnpm@latest',
      /packageManager in package\.json is "pnpm@latest"\. Write the name and the exact version/,
    ],
    [
      `pnpm@9.15.9+sha512.${pnpmHash.replace(/^./, 'b')}`,
      "packageManager in package.json names another hash of pnpm 9.15.9 than the registry's. Run corepack use pnpm@9.15.9 and commit package.json.",
    ],
    ['pnpm@9.15.9+md5.abc', /packageManager in package\.json is "pnpm@9\.15\.9\+md5\.abc"\. Write/],
    [
      'pnpm@10.999.0',
      /pnpm version "10\.999\.0" cannot be had\. Set packageManager in package\.json to one of /,
    ],
  ])('cannot be %s where the lock file is of pnpm', async (packageManager, sentence) => {
    const change = (dir: string) => edit(dir, manifest => Object.assign(manifest, { packageManager }));
    await expect(build('pnpm', change)).rejects.toThrow(sentence);
  });

  it('has the version of packageManager, and Node that of .tool-versions', async () => {
    const { output } = await build('pnpm', dir => {
      edit(dir, manifest => Object.assign(manifest, { packageManager: `pnpm@9.15.9+sha512.${pnpmHash}` }));
      writeFileSync(join(dir, '.tool-versions'), 'ruby 3.1.2\nnodejs 22.23.3\n');
    });
    expect(output.join('\n')).toContain('Node v22.23.3, pnpm 9.15.9');
  });
});

describe('npm', () => {
  const asking = (npm: string) => async () =>
    await bench.build(join(fixtures, 'express'), {
      app: parseAppName('npm'),
      change: dir => edit(dir, manifest => Object.assign(manifest, { engines: { node: '22.x', npm } })),
    });

  it('is the one that comes with Node where engines.npm fits it, else one that fits', async () => {
    expect((await asking('>=10')()).output.join('\n')).toMatch(/Node v22\.\d+\.\d+, npm 10\./);
    expect((await asking('11.5.x')()).output.join('\n')).toMatch(/Node v22\.\d+\.\d+, npm 11\.5\./);
  });

  it('is refused in a version that cannot be had, naming what can', async () => {
    await expect(asking('99.x')()).rejects.toThrow(
      /npm version "99\.x" cannot be had\. Set engines\.npm or packageManager in package\.json to one of .*10\.x/,
    );
  });
});

describe('scripts for the build', () => {
  it('run in the order of Heroku: heroku-prebuild, installing, heroku-postbuild instead of build, heroku-cleanup', async () => {
    const { output } = await bench.build(folder('pnpm'), {
      app: parseAppName('scripts'),
      change: dir =>
        edit(dir, manifest => {
          manifest['scripts'] = {
            'heroku-prebuild': 'echo first',
            build: 'echo not me',
            'heroku-postbuild': 'echo last',
            'heroku-cleanup': `node -e "try { require('is-number') } catch { console.log('cleaned up') }"`,
            start: 'node server.js',
          };
        }),
    });
    const text = output.join('\n');
    const order = [
      'Running heroku-prebuild',
      'Installing dependencies',
      '(heroku-postbuild)',
      'Running heroku-cleanup',
      'cleaned up',
    ];
    const found = order.map(part => text.indexOf(part));
    expect(found.every(index => index >= 0)).toBe(true);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(text).not.toContain('not me');
  });
});

describe('the memory of Node', () => {
  const heap = `require('node:http').createServer((_, response) => {
    response.end(String(Math.round(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20)));
  }).listen(process.env.PORT);`;

  it("is mostly its heap's, unless the app's config says otherwise", async () => {
    const { image } = await bench.build(folder('pnpm'), {
      app: parseAppName('heap'),
      change: dir => writeFileSync(join(dir, 'server.js'), heap),
    });
    const limit = async (env: Record<string, string>) => {
      let text = '';
      const ask = async (base: string) => {
        text = await (await fetchSoon(base)).text();
      };
      await bench.run(image, 'web', ask, env);
      return Number(text);
    };
    // The instance has 256 MB.
    expect(await limit({})).toBeGreaterThan(180);
    expect(await limit({})).toBeLessThan(256);
    expect(await limit({ NODE_OPTIONS: '--max-old-space-size=64' })).toBeLessThan(120);
  });
});

function edit(dir: string, change: (manifest: Record<string, unknown>) => void): void {
  const file = join(dir, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const app = join(fixtures, 'php');
const name = (text: string) => parseAppName(text);

describe('an app with composer.json and a package of its own repository, as no package registry is within reach', () => {
  it('is served from public/ by nginx and php-fpm with its packages and extensions', async () => {
    const { image } = await bench.build(app, { app: name('composer') });
    expect(image.processes).toEqual([
      { type: 'web', command: ['serve-php', 'public'], workingDir: '/workspace' },
    ]);
    await bench.run(image, 'web', async base => {
      const page = await fetchSoon(`${base}/sea?wind=7`);
      expect(await page.text()).toBe('HELLO FROM A PACKAGE at /sea?wind=7, PHP 8.2');
      expect(page.headers.get('x-powered-by')).toBeNull();
      const style = await fetch(`${base}/style.css`);
      expect([style.headers.get('content-type'), await style.text()]).toEqual([
        'text/css; charset=utf-8',
        'body { color: navy; }\n',
      ]);
      const broken = await fetch(`${base}/broken`);
      expect([broken.status, await broken.text()]).toEqual([500, '']);
    });
  });

  it('starts no container when only code changed, and runs the changed code of the app and of its package', async () => {
    await bench.build(app, { app: name('composer') });
    const { image, output, sandboxes } = await bench.build(app, {
      app: name('composer'),
      change: dir => {
        replace(join(dir, 'packages/boat/src/Boat.php'), 'a package', 'a changed package');
        replace(join(dir, 'src/Page.php'), ' at ', ' near ');
      },
    });
    expect(sandboxes).toBe(0);
    expect(output.join('\n')).toContain('Reusing dependencies: composer.json, composer.lock are unchanged');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('HELLO FROM A CHANGED PACKAGE near /, PHP 8.2');
    });
  });

  it('runs the scripts of composer.json in every build, but installs nothing again', async () => {
    const script = (dir: string) =>
      edit(dir, manifest => {
        manifest['scripts'] = { 'post-install-cmd': 'echo built $GREETING > public/built.txt' };
      });
    const first = await bench.build(app, { app: name('script'), change: script });
    expect(first.output.join('\n')).toContain('Installing packages with composer install');
    const { image, output } = await bench.build(app, {
      app: name('script'),
      config: { GREETING: 'again' },
      change: script,
    });
    expect(output.join('\n')).toContain(
      'Reusing packages: composer.json, composer.lock and PHP are unchanged',
    );
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(`${base}/built.txt`)).text()).toBe('built again\n');
    });
  });

  it('is served with the assets that the build script of a package.json beside it makes', async () => {
    const { image } = await bench.build(app, {
      app: name('assets'),
      change: dir =>
        writeFileSync(
          join(dir, 'package.json'),
          '{ "scripts": { "build": "echo made by Node > public/assets.txt" } }',
        ),
    });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('HELLO FROM A PACKAGE');
      expect(await (await fetch(`${base}/assets.txt`)).text()).toBe('made by Node\n');
    });
  });
});

describe('a folder of PHP files', () => {
  const plain = (dir: string) => {
    for (const entry of ['composer.json', 'composer.lock', 'public', 'src', 'packages'])
      rmSync(join(dir, entry), { recursive: true });
    mkdirSync(join(dir, 'admin'));
    const files = {
      'index.php': '<?php echo "front ", $_SERVER["REQUEST_URI"], " ", getenv("COLOUR");',
      'admin/index.php': '<?php echo "admin ", $_SERVER["PATH_INFO"] ?? "";',
      '.env': 'SECRET=1',
      Procfile: 'web: serve-php\nclock: php index.php\n',
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  };

  it('is served without Composer, with its folders, and hides what is not for visitors', async () => {
    const { image, output } = await bench.build(app, { app: name('plain'), change: plain });
    expect(output.join('\n')).not.toContain('composer install');
    expect(image.processes.map(({ type }) => type)).toEqual(['clock', 'web']);
    await bench.run(
      image,
      'web',
      async base => {
        expect(await (await fetchSoon(`${base}/a/b?c`)).text()).toBe('front /a/b?c blue');
        expect(await (await fetch(`${base}/admin/`)).text()).toBe('admin ');
        expect(await (await fetch(`${base}/admin/index.php/x`)).text()).toBe('admin /x');
        expect((await fetch(`${base}/.env`)).status).toBe(404);
        expect((await fetch(`${base}/Procfile`)).status).toBe(404);
      },
      { COLOUR: 'blue' },
    );
  });

  it('ends as a whole when php-fpm ends, so that the platform starts it again', async () => {
    const { image } = await bench.build(app, {
      app: name('plain'),
      change: dir => {
        plain(dir);
        writeFileSync(join(dir, 'index.php'), '<?php posix_kill(posix_getppid(), 9);');
      },
    });
    await bench.run(image, 'web', async base => {
      await fetchSoon(base);
      await expect.poll(async () => await fetch(base).catch(() => 'gone'), { timeout: 5000 }).toBe('gone');
    });
  });
});

describe('a PHP app that cannot be built', () => {
  const build = (change: (dir: string) => void) => bench.build(app, { app: name('wrong'), change });
  const requiring = (requirement: string, version: string) => (dir: string) =>
    edit(dir, manifest => {
      manifest['require'] = { ...Object(manifest['require']), [requirement]: version };
    });

  it('is told that a lock file is missing', async () => {
    await expect(build(dir => rmSync(join(dir, 'composer.lock')))).rejects.toThrow(
      /^composer\.lock is missing, .* Run composer update and commit composer\.lock\.$/,
    );
  });

  it('is told which package is missing from a lock file that is out of step', async () => {
    await expect(build(requiring('wherry/anchor', '^1.0'))).rejects.toThrow(
      'composer.lock is out of step with composer.json: it does not hold wherry/anchor as asked for.',
    );
  });

  it('is told which version can be had when another is asked for', async () => {
    await expect(build(requiring('php', '^8.3'))).rejects.toThrow(
      /^PHP version "\^8\.3" in composer\.json cannot be had\. Set require\.php to one that PHP 8\.2\.\d+ fits, such as "\^8\.2"\.$/,
    );
  });

  it('is told which extension cannot be had', async () => {
    await expect(build(requiring('ext-rudder', '*'))).rejects.toThrow('PHP extension rudder, which');
  });
});

function replace(file: string, from: string, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

function edit(dir: string, change: (manifest: Record<string, unknown>) => void): void {
  const file = join(dir, 'composer.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
}

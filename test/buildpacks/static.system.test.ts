import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '../../src/domain/image.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const spa = join(fixtures, 'static-spa');
const site = join(fixtures, 'static-site');
const build = async (dir: string, change: (dir: string) => void = () => {}) =>
  (await bench.build(dir, { app: parseAppName('static'), change })).image;
const serve = async (image: Image, use: (base: string) => Promise<void>) =>
  await bench.run(image, 'web', async base => {
    await fetchSoon(base);
    await use(base);
  });

const forGood = 'max-age=31536000';
const script = '/assets/index-D1wrgTda.js';

describe('a single-page app with a Staticfile', () => {
  it('answers addresses of pages with its page, and a missing script with 404', async () => {
    await serve(await build(spa), async base => {
      for (const path of ['/', '/boats/7', '/users/jane.doe', '/boats/7?sort=name']) {
        const page = await fetch(base + path);
        expect([path, page.status, page.headers.get('content-type')]).toEqual([
          path,
          200,
          'text/html; charset=utf-8',
        ]);
        expect(await page.text()).toContain('A single-page app about boats');
      }
      expect(await (await fetch(`${base}/docs/`)).text()).toContain('Documentation');
      const moved = await fetch(`${base}/docs`, { redirect: 'manual' });
      expect([moved.status, moved.headers.get('location')]).toEqual([301, '/docs/']);
      expect((await fetch(`${base}/assets/index-0ldScr1p.js`)).status).toBe(404);
      expect((await fetch(`${base}/assets/`)).headers.get('content-type')).toBe('text/html; charset=utf-8');
    });
  });

  it('lets browsers keep what is named by its content, and has everything else asked for again', async () => {
    await serve(await build(spa), async base => {
      const caching = async (path: string) => (await fetch(base + path)).headers.get('cache-control');
      expect(await caching(script)).toBe(forGood);
      expect(await caching('/fonts/boat.woff2')).toBe(forGood);
      expect(await caching('/')).toBe('max-age=0');
      expect(await caching('/boats/7')).toBe('max-age=0');
      expect(await caching('/assets/theme.js')).toBe('max-age=0');
      expect(await caching('/assets/index-0ldScr1p.js')).toBeNull();
    });
  });

  it('is compressed for those who can read it, and keeps ETags and ranges right', async () => {
    await serve(await build(spa), async base => {
      const plain = await raw(base + script, { 'accept-encoding': 'identity' });
      // The first is compressed as it is asked for, the second comes from the cache.
      for (const time of ['first', 'second']) {
        const packed = await raw(base + script, { 'accept-encoding': 'gzip' });
        expect([time, packed.headers['content-encoding'], packed.headers['vary']]).toEqual([
          time,
          'gzip',
          'Accept-Encoding',
        ]);
        expect(packed.body.length).toBeLessThan(plain.body.length / 3);
        expect(gunzipSync(packed.body)).toEqual(plain.body);
        expect(packed.headers.etag).not.toBe(plain.headers.etag);
        const again = { 'accept-encoding': 'gzip', 'if-none-match': String(packed.headers.etag) };
        expect((await raw(base + script, again)).status).toBe(304);
      }
      const same = { 'if-none-match': String(plain.headers.etag) };
      expect((await raw(base + script, same)).status).toBe(304);
      expect((await raw(base + script, { 'if-none-match': '"other"' })).status).toBe(200);
      const part = await raw(base + script, { range: 'bytes=3-6' });
      expect([part.status, part.headers['content-range'], part.body.toString()]).toEqual([
        206,
        `bytes 3-6/${plain.body.length}`,
        'Long',
      ]);
      const stale = { range: 'bytes=3-6', 'if-range': '"other"' };
      expect((await raw(base + script, stale)).status).toBe(200);
      expect((await raw(base + script, { range: 'bytes=999999-' })).status).toBe(416);
      // A range of what is compressed would be of no use to anybody: it is left aside.
      const both = await raw(base + script, { range: 'bytes=0-9', 'accept-encoding': 'gzip' });
      expect([both.status, gunzipSync(both.body)]).toEqual([200, plain.body]);
    });
  });
});

describe('a static site', () => {
  it('never serves hidden files and what is for the platform, however they are asked for', async () => {
    const image = await build(site, dir => {
      mkdirSync(join(dir, 'sub/.git'), { recursive: true });
      mkdirSync(join(dir, '.well-known'));
      for (const name of ['.env', '.gitignore', 'sub/.git/config', 'Procfile.txt'])
        writeFileSync(join(dir, name), 'secret');
      writeFileSync(join(dir, 'Staticfile'), 'directory: enabled\n');
      writeFileSync(join(dir, 'Aptfile'), '');
      writeFileSync(join(dir, 'app.json'), '{}');
      writeFileSync(join(dir, '.well-known/security.txt'), 'Contact: mailto:captain@example.org');
    });
    await serve(image, async base => {
      const hidden = [
        '/.env',
        '/.gitignore',
        '/sub/.git/config',
        '/%2eenv',
        '/sub/../.env',
        '//.env',
        '/x/%2e%2e/.env',
        '/.%65nv',
      ];
      for (const path of [
        ...hidden,
        '/Staticfile',
        '/Aptfile',
        '/app.json',
        '/%41ptfile',
        '//Staticfile',
        '/./Staticfile',
      ]) {
        const { status, body } = await raw(base, {}, path);
        expect([path, [403, 404].includes(status), body.includes('secret')]).toEqual([path, true, false]);
      }
      for (const path of ['/.git/config', '/Procfile', '/../etc/passwd', '/%2e%2e/etc/passwd']) {
        expect([400, 403, 404]).toContain((await raw(base, {}, path)).status);
      }
      expect((await fetch(`${base}/.well-known/security.txt`)).status).toBe(200);
      const listing = await (await fetch(`${base}/sub/`)).text();
      expect(listing).toContain('Index of');
      expect(listing).not.toContain('.git');
    });
  });

  it('lists no folders unless its Staticfile says so', async () => {
    await serve(await build(site), async base => {
      expect((await fetch(`${base}/img/`)).status).toBe(403);
    });
  });

  it('shows the 404 page that its Staticfile names', async () => {
    const image = await build(site, dir => {
      mkdirSync(join(dir, 'errors'));
      rmSync(join(dir, '404.html'));
      writeFileSync(join(dir, 'errors/lost.html'), '<h1>Lost at sea</h1>');
      writeFileSync(join(dir, 'Staticfile'), '404: errors/lost.html\r\n');
    });
    await serve(image, async base => {
      const missing = await fetch(`${base}/nothing`);
      expect([missing.status, await missing.text()]).toEqual([404, '<h1>Lost at sea</h1>']);
    });
  });

  it.each([
    ['root: ../etc', /Staticfile line 1: "\.\.\/etc" is no path inside the app/],
    ['root: "x"; include "/etc/passwd"', /Staticfile line 1: .* is no path inside the app/],
    ['root: nowhere', /Staticfile names root nowhere, which is not a folder of the app\. Correct the line\./],
    ['# fine\nnonsense', /Staticfile line 2 is not "key: value"/],
    [
      'ssi: enabled',
      /Staticfile line 1 names "ssi", which is not known\. Use root, pushstate, directory, 404 or immutable\./,
    ],
    ['directory: maybe', /Staticfile line 1 says "maybe"\. Write enabled or disabled\./],
    ['host_dot_files: true', /hidden files, which are never served/],
  ])('is refused when its Staticfile says %j', async (text, sentence) => {
    await expect(build(site, dir => writeFileSync(join(dir, 'Staticfile'), text))).rejects.toThrow(sentence);
  });
});

describe('a site that Node builds', () => {
  it('is served from the folder that its Staticfile names', async () => {
    const image = await build(spa, dir => {
      rmSync(join(dir, 'www'), { recursive: true });
      const make = `const fs = require('fs'); fs.mkdirSync('www'); fs.writeFileSync('www/index.html', '<h1>Made by Node</h1>');`;
      writeFileSync(join(dir, 'make.js'), make);
      writeFileSync(join(dir, 'package.json'), '{"scripts":{"build":"node make.js"}}');
    });
    await serve(image, async base => {
      expect(await (await fetch(`${base}/anywhere`)).text()).toBe('<h1>Made by Node</h1>');
    });
  });
});

type Raw = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** Without anything that fetch does by itself: decoding, headers of its own, cleaning the path. */
function raw(url: string, headers: Record<string, string>, path?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { headers, agent: false, timeout: 10_000, ...(path ? { path } : {}) },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    sent.on('error', reject).end();
  });
}

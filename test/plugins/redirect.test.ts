import { beforeEach, describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/domain/error-page.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from '../commands/support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.services.plugins.open();
  await bench.run('apps:create', 'blog');
  await bench.run('domains:add', 'blog', 'www.example.com', 'example.com', '*.example.net');
});

const run = (line: string) => bench.run(...line.split(' '));
const list = async () => (await run('redirect:report blog --redirect-list')).stdout.trim();

describe('redirects', () => {
  it('are set, shown, told to the edge and unset', async () => {
    const before = bench.published();
    expect((await run('redirect:set blog www.example.com example.com')).code).toBe(0);
    await run('redirect:set blog *.example.net example.org 302');
    expect(await list()).toBe('www.example.com:example.com:301 *.example.net:example.org:302');
    expect(bench.published()).toBe(before + 2);
    const { id } = bench.store.apps.get(parseAppName('blog'));
    expect(readAnswers(key => bench.store.properties.get(`app:${id}`, key)).redirects).toMatchObject({
      'www.example.com': { to: 'example.com', code: 301 },
    });
    await run('redirect:unset blog www.example.com');
    await run('redirect:unset blog *.example.net');
    expect(await list()).toBe('');
    expect((await run('redirect:unset blog www.example.com')).stderr).toContain('redirects nobody from');
  });

  it('are in the history of the app, by whom', async () => {
    await run('redirect:set blog www.example.com example.com');
    expect((await run('events blog')).stdout).toContain(
      'redirect: Redirect of www.example.com to example.com with 301 (local)',
    );
  });

  it('replace the one that a domain had', async () => {
    await run('redirect:set blog www.example.com example.com');
    await run('redirect:set blog www.example.com example.org 308');
    expect(await list()).toBe('www.example.com:example.org:308');
  });

  it.each([
    ['www.other.com example.com', 'is not of app blog. Add it first'],
    ['www.example.com *.example.com', 'Visitors cannot be sent to *.example.com'],
    ['www.example.com www.example.com', 'in a circle: www.example.com -> www.example.com'],
    ['*.example.net www.example.net', 'in a circle'],
    ['www.example.com example.com 200', 'is no code of a redirect'],
    ['www.example.com http://example.com', 'is not valid'],
    ['www.example.com example.com/path', 'is not valid'],
  ])('refuse %s', async (words, reason) => {
    const ran = await run(`redirect:set blog ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(await list()).toBe('');
  });

  it('refuse a circle over several', async () => {
    await run('domains:add blog a.example.com');
    await run('redirect:set blog www.example.com example.com');
    await run('redirect:set blog example.com a.example.com');
    expect((await run('redirect:set blog a.example.com www.example.com')).stderr).toContain(
      'in a circle: a.example.com -> www.example.com -> example.com -> a.example.com',
    );
  });
});

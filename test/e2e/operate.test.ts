import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe, probeSaying } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('a running app', () => {
  let wherry: Wherry;
  let repository: Repository;
  beforeAll(async () => {
    wherry = await startWherry();
    repository = await wherry.repository('blog', { from: probe });
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  const whoami = async () => JSON.parse((await wherry.get('blog', '/whoami')).text);
  const dynos = async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, whoami));
    return [...new Set(answers.map(answer => answer.dyno))].sort();
  };
  const held = async (...words: string[]) => {
    const result = await wherry.ssh(...words);
    expect(result.code, result.output).toBe(0);
    return result.stdout;
  };

  it('is scaled up and down, and every instance serves', async () => {
    await held('ps:scale', 'blog', 'web=3');
    await until('three to serve', async () => (await dynos()).length === 3);
    expect(await dynos()).toEqual(['web.1', 'web.2', 'web.3']);
    await held('ps:scale', 'blog', 'web=1');
    expect(await dynos()).toEqual(['web.1']);
  });

  it('keeps its scale through a deploy', async () => {
    await held('ps:scale', 'blog', 'web=2');
    repository.write(probeSaying('probe scaled'));
    await repository.commit('Change');
    expect((await repository.push()).code).toBe(0);
    await until('two to serve', async () => (await dynos()).length === 2);
    await held('ps:scale', 'blog', 'web=1');
  });

  it.each([['web=-1'], ['web=1000000'], ['web=x'], ['nothing=2'], ['web=1.5']])(
    'refuses the scale %s',
    async pair => {
      const result = await wherry.ssh('ps:scale', 'blog', pair);
      expect(result.code).not.toBe(0);
      expect(result.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
      expect(await dynos()).toEqual(['web.1']);
    },
  );

  it.each([
    ['..', '..'],
    ['that is empty', ''],
    [';id', ';id'],
    ['$(id)', '$(id)'],
    ['in upper case', 'Upper'],
    ['with a look-alike letter', 'bl\u043eg'],
    ['of 10,000 characters', 'x'.repeat(10_000)],
  ])('refuses an app name %s', async (_label, name) => {
    const result = await wherry.cli('apps:create', name);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/app name/i);
    expect(result.stderr.length).toBeLessThan(400);
  });

  it('takes config byte for byte, as a release, and gives it to the app', async () => {
    const value = ' quotes " \' $HOME `id` \\ \u00e9\u4e16 = # ';
    const result = await wherry.cli('config:set', 'blog', `STRANGE=${value}`, 'EMPTY=');
    expect(result.code, result.output).toBe(0);
    expect((await wherry.get('blog', '/env?key=STRANGE')).text).toBe(value);
    expect((await wherry.cli('config:get', 'blog', 'STRANGE')).stdout).toBe(`${value}\n`);
    expect(await held('releases', 'blog')).toMatch(/STRANGE/);
    expect(await held('releases', 'blog')).not.toContain('quotes');
    await held('config:unset', 'blog', 'STRANGE', 'EMPTY');
    expect((await wherry.get('blog', '/env?key=STRANGE')).text).toBe('');
  });

  it('keeps config values out of the daemon log and the database', async () => {
    await wherry.cli('config:set', 'blog', 'TOKEN=hunter2-very-secret');
    expect(wherry.log()).not.toContain('hunter2-very-secret');
    const database = await import('node:fs').then(fs =>
      fs.readFileSync(`${wherry.data}/wherry.db`, 'latin1'),
    );
    expect(database).not.toContain('hunter2-very-secret');
  });

  it('answers by domains of its own, and a taken one is refused', async () => {
    await held('domains:add', 'blog', 'www.example.org');
    expect((await ask({ port: wherry.httpPort, host: 'www.example.org' })).status).toBe(200);
    await held('apps:create', 'other');
    const taken = await wherry.ssh('domains:add', 'other', 'www.example.org');
    expect(taken.code).not.toBe(0);
    expect(taken.stderr).toContain('blog');
    await held('domains:remove', 'blog', 'www.example.org');
    expect((await ask({ port: wherry.httpPort, host: 'www.example.org' })).status).toBe(404);
  });

  it('rolls image and config back together', async () => {
    await held('config:set', 'blog', 'COLOUR=red');
    const before = (await wherry.get('blog')).text;
    const red = newest(await held('releases', 'blog'));
    await held('config:set', 'blog', 'COLOUR=blue');
    repository.write(probeSaying('a mistake'));
    await repository.commit('A mistake');
    expect((await repository.push()).code).toBe(0);
    expect((await wherry.get('blog')).text).toBe('a mistake');
    await held('rollback', 'blog', `v${red}`);
    expect((await wherry.get('blog')).text).toBe(before);
    expect((await wherry.get('blog', '/env?key=COLOUR')).text).toBe('red');
    expect(newest(await held('releases', 'blog'))).toBe(red + 3);
    const unknown = await wherry.ssh('rollback', 'blog', 'v999');
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toMatch(/999/);
  });

  it('keeps the logs of instances that are gone', async () => {
    await wherry.get('blog', '/log?text=remember-me');
    await held('ps:restart', 'blog');
    await wherry.get('blog', '/log?text=and-me');
    const log = await until('both lines', async () => {
      const text = await held('logs', 'blog', '-n', '200');
      return text.includes('and-me') && text;
    });
    expect(log).toMatch(/web\.1.*remember-me/);
    expect(log.indexOf('remember-me')).toBeLessThan(log.indexOf('and-me'));
  });

  it('stops, says so to visitors, and starts again', async () => {
    await held('ps:stop', 'blog');
    expect((await wherry.get('blog')).status).toBeGreaterThanOrEqual(502);
    await held('ps:start', 'blog');
    expect((await wherry.get('blog')).status).toBe(200);
  });

  it('is rebuilt from what was pushed last', async () => {
    await held('ps:rebuild', 'blog');
    expect((await wherry.get('blog')).text).toBe('a mistake');
  });

  it('finishes requests under way before the old instance goes', async () => {
    const slow = wherry.get('blog', '/slow?ms=3000');
    await until(
      'the request to be under way',
      () => new Promise<true>(resolve => setTimeout(resolve, 200, true)),
    );
    await held('ps:restart', 'blog');
    expect((await slow).text).toBe('done');
  });

  it('gives every answer as JSON too', async () => {
    for (const words of [
      ['apps:list'],
      ['ps:scale', 'blog'],
      ['ps:report', 'blog'],
      ['releases', 'blog'],
      ['events', 'blog'],
    ]) {
      // Of what may go on, as events and logs, an item a line; of all else it is one.
      for (const line of (await held(...words, '--format', 'json')).trimEnd().split('\n'))
        expect(() => JSON.parse(line), words.join(' ')).not.toThrow();
    }
  });

  it('is gone with its domain, its instances and its repository when destroyed', async () => {
    const doomed = await wherry.repository('doomed', { from: probe });
    expect((await doomed.push()).code).toBe(0);
    await held('--force', 'apps:destroy', 'doomed');
    expect((await wherry.get('doomed')).status).toBe(404);
    expect((await wherry.ssh('ps:report', 'doomed')).code).toBe(20);
    expect((await wherry.ssh('apps:exists', 'doomed')).code).toBe(20);
  });
});

/** Largest version number that a list of releases names. */
function newest(releases: string): number {
  return Math.max(...[...releases.matchAll(/\bv(\d+)\b/g)].map(match => Number(match[1])));
}

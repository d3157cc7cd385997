import { beforeEach, describe, expect, it } from 'vitest';
import { createOutbox } from '../../plugins/webhooks/outbox.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { type Bench, createBench } from '../commands/support.ts';
import { until } from '../support/until.ts';

let bench: Bench;
const url = 'https://hooks.example.org/services/T0/secret';
beforeEach(async () => {
  bench = createBench();
  await bench.services.plugins.open();
  await bench.run('plugin:enable', 'webhooks');
  await bench.deployed('blog');
});
const setUrl = (scope: string, value: string) =>
  bench.runWith({ words: ['webhooks:set', scope, 'url'], stdin: `${value}\n` });
const told = () => bench.posted.map(([to, body]) => [to, (body as { event: string }).event]);
const quick = { every: 1 };

describe('webhooks', () => {
  it('comes disabled', async () => {
    const fresh = createBench();
    await fresh.services.plugins.open();
    expect(fresh.services.plugins.view('webhooks').status).toBe('disabled');
    const { code, stderr } = await fresh.run('webhooks:report');
    expect(code).toBe(1);
    expect(stderr).toContain('is not a wherry command');
    expect(stderr).toContain('An owner enables it: plugin:enable webhooks');
  });

  it('posts what happens, for chats and for programs', async () => {
    await setUrl('--global', url);
    await bench.run('rollback', 'blog', '1');
    await until('the notice', () => bench.posted.length === 1, quick);
    expect(bench.posted[0]).toEqual([
      url,
      expect.objectContaining({
        ...{ event: 'after-deploy', app: 'blog', version: 2, actor: 'local' },
        text: 'blog: Deployed. v2 is live: Rollback to v1 (local)',
      }),
    ]);
  });

  it('tells an app’s own URL instead, and only of what is wanted', async () => {
    await setUrl('--global', url);
    await setUrl('blog', 'https://own.example.org/');
    await bench.run('webhooks:set', 'blog', 'events', 'out-of-memory,cron-failed');
    const add = (kind: string, message: string) =>
      bench.store.events.add({ at: new Date(), app: bench.store.apps.list()[0]?.name, kind, message });
    add('crash', 'web.1 ended');
    add('oom', 'web.1 was killed <!channel> & more');
    add('cron-failed', 'It failed');
    await until('two notices', () => bench.posted.length === 2, quick);
    expect(told()).toEqual([
      ['https://own.example.org/', 'out-of-memory'],
      ['https://own.example.org/', 'cron-failed'],
    ]);
    expect(bench.posted[0]?.[1]).toMatchObject({
      text: 'blog: Out of memory. web.1 was killed &lt;!channel&gt; &amp; more',
      message: 'web.1 was killed <!channel> & more',
    });
  });

  it('keeps the URL secret: it is in no report, no event and no log', async () => {
    await setUrl('blog', url);
    const shown = await Promise.all([
      bench.run('webhooks:report', 'blog', '--format', 'json'),
      bench.run('webhooks:report'),
      bench.run('events'),
    ]);
    expect(shown.map(({ stdout }) => stdout).join('')).not.toContain('services/T0');
    expect((await bench.run('webhooks:report', 'blog', '--webhooks-url')).stdout).toBe('(set)\n');
    expect(JSON.stringify(bench.logged)).not.toContain('services/T0');
    expect((await bench.run('webhooks:set', 'blog', 'url', url)).stderr).toContain('not taken as a word');
    await bench.run('webhooks:set', 'blog', 'url', '');
    expect((await bench.run('webhooks:report', 'blog', '--webhooks-url')).stdout).toBe('\n');
  });

  it.each([
    ['ftp://example.org/', 'not supported'],
    ['https://ann:pw@example.org/', 'has a name or password in it'],
    ['nonsense', 'is no URL'],
    ['', 'No password came'],
  ])('refuses %j as a URL', async (value, why) => {
    const ran = await setUrl('blog', value);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(why);
  });

  it('refuses events that there are not', async () => {
    expect((await bench.run('webhooks:set', 'blog', 'events', 'lunch')).stderr).toContain(
      'There is no event "lunch"',
    );
  });
});

describe('a notice', () => {
  const notice = { app: 'blog', body: {} };
  const forgetful = { kept: () => undefined, keep: () => {} };
  const outbox = (answers: (number | Error)[]) => {
    const seen = { pauses: [] as number[], failed: [] as string[], tries: 0 };
    const box = createOutbox({
      ...forgetful,
      sleep: async ms => void seen.pauses.push(ms),
      failed: (_where, error) => void seen.failed.push((error as Error).message),
      async post() {
        const answer = answers[Math.min(seen.tries++, answers.length - 1)] ?? 200;
        if (typeof answer === 'number') return answer;
        throw answer;
      },
    });
    return { box, seen };
  };

  it('is sent again, later each time, while the other side fails', async () => {
    const { box, seen } = outbox([500, new WherryError('unavailable', 'nobody there'), 429, 204]);
    box.send(url, notice);
    await until('the end', () => seen.tries === 4, quick);
    expect(seen.pauses).toEqual([0, 2_000, 10_000, 60_000]);
    expect(seen.failed).toEqual([]);
  });

  it('is given up in the end, or at once when it is refused', async () => {
    const { box, seen } = outbox([503]);
    box.send(url, notice);
    await until('the end', () => seen.failed.length === 1, quick);
    expect(seen.failed).toEqual(['it was given up after 6 tries: it was answered with status 503']);
    for (const answer of [404, 302, new WherryError('access-denied', 'leads inside')]) {
      const once = outbox([answer]);
      once.box.send(url, notice);
      await until('the end', () => once.seen.failed.length === 1, quick);
      expect(once.seen.tries).toBe(1);
    }
  });

  it('is dropped when 500 are under way', async () => {
    const failed: string[] = [];
    const box = createOutbox({
      ...forgetful,
      sleep: () => new Promise(() => {}),
      failed: (_where, error) => void failed.push((error as Error).message),
      post: async () => 200,
    });
    for (let at = 0; at < 501; at++) box.send(url, { ...notice });
    expect(failed).toEqual(['500 notices are under way already']);
  });

  it('is sent after the next start when the daemon ends before it is taken, and then no more', async () => {
    let text: string | undefined;
    const sent: unknown[] = [];
    const tools = {
      kept: () => text,
      keep(_name: string, kept: string | undefined) {
        text = kept;
      },
      failed: () => {},
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        ),
      post: async (...given: [string, unknown, AbortSignal]) => sent.push(given.slice(0, 2)) && 200,
    };
    const before = createOutbox(tools);
    before.send(url, { app: 'blog', body: { text: 'one' } });
    before.send(url, { app: undefined, body: { text: 'two' } });
    expect(text).not.toContain('hooks.example.org');
    before.close();
    await Promise.resolve();
    const after = createOutbox({ ...tools, sleep: async () => {} });
    after.resume(app => (app === undefined ? undefined : `https://${app}.example.org/`));
    await until('it', () => text === undefined, quick);
    expect(sent).toEqual([['https://blog.example.org/', { text: 'one' }]]);
  });
});

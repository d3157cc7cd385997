import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verify } from '../../plugins/webhooks/signature.ts';
import { type Bench, createBench } from '../commands/support.ts';
import { until } from '../support/until.ts';

const secret = 'a secret of sixteen or more';
const repository = 'https://git.example.org/ann/blog.git';
const quick = { every: 1 };
let bench: Bench;
let port: number;

beforeEach(async () => {
  bench = createBench();
  await bench.services.plugins.open();
  await bench.run('plugin:enable', 'webhooks');
  await bench.run('plugin:set', '--global', 'domain', 'hooks.example.org');
  port = bench.services.plugins.routes()[0]?.targets[0]?.port ?? 0;
  await bench.run('apps:create', 'blog');
  await bench.run('webhooks:set', 'blog', 'repository', repository);
  await bench.runWith({ words: ['webhooks:set', 'blog', 'secret'], stdin: `${secret}\n` });
});
afterEach(() => bench.services.plugins.close());

const payload = (more: object = {}) =>
  JSON.stringify({
    ref: 'refs/heads/main',
    after: 'a'.repeat(40),
    repository: { clone_url: repository },
    ...more,
  });
const hmac = (body: string, key = secret) => createHmac('sha256', key).update(body).digest('hex');
const github = (body: string, more: Record<string, string> = {}) => ({
  'content-type': 'application/json',
  'x-github-event': 'push',
  'x-github-delivery': randomUUID(),
  'x-hub-signature-256': `sha256=${hmac(body)}`,
  ...more,
});

async function send(body: string, headers: Record<string, string> = github(body), path = '/webhooks/blog') {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers });
  return { status: response.status, text: await response.text() };
}
const deploys = () => bench.synced;
const wasBegun = (count: number) => until('the deploy', () => deploys().length === count, quick);

describe('a push at a forge', () => {
  it('of GitHub, signed, deploys the repository that is set', async () => {
    expect(await send(payload())).toMatchObject({
      status: 202,
      text: expect.stringContaining('a deploy begins'),
    });
    await wasBegun(1);
    expect(deploys()).toEqual([`blog ${repository} main webhooks`]);
  });

  it('of GitHub as a form, of Gitea and of GitLab does so too', async () => {
    const form = new URLSearchParams({ payload: payload({ n: 1 }) }).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send(form, github(form, type))).status).toBe(202);
    await wasBegun(1);
    const gitea = payload({ n: 2 });
    const own = { 'x-gitea-event': 'push', 'x-gitea-delivery': '2', 'x-gitea-signature': hmac(gitea) };
    expect((await send(gitea, own)).status).toBe(202);
    await wasBegun(2);
    const project = { git_http_url: repository.replace('.git', '').toUpperCase().replace('HTTPS', 'https') };
    const gitlab = payload({ repository: {}, project });
    const token = { 'x-gitlab-event': 'Push Hook', 'x-gitlab-event-uuid': '3', 'x-gitlab-token': secret };
    expect((await send(gitlab, token)).status).toBe(202);
    await wasBegun(3);
  });

  it('is not taken unless it is signed with the secret of its app, and the answer tells nothing', async () => {
    const body = payload();
    await bench.run('apps:create', 'open');
    const tries = [
      await send(
        body,
        github(body, { 'x-hub-signature-256': `sha256=${hmac(body, 'another secret here')}` }),
      ),
      await send(body, github(body, { 'x-hub-signature-256': hmac(`${body} `) })),
      await send(body, github(body, { 'x-hub-signature-256': 'sha256=' })),
      await send(body, github(body, { 'x-hub-signature-256': 'sha1=abc' })),
      await send(body, { 'x-github-event': 'push', 'x-github-delivery': '1' }),
      await send(body, { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': `${secret}x` }),
      await send(body, { 'x-gitlab-event': 'Push Hook' }),
      await send(body, github(body), '/webhooks/open'),
      await send(body, github(body), '/webhooks/nobody'),
      await send(body, github(body), '/webhooks/blog/more'),
      await send(
        body,
        github(body, { 'x-hub-signature-256': `sha256=${hmac(body, 'no app has this secret')}` }),
        '/webhooks/open',
      ),
    ];
    expect(new Set(tries.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(tries[0]?.status).toBe(401);
    expect(deploys()).toEqual([]);
  });

  it('is taken once: not again by its id, nor by its body, nor after a restart', async () => {
    const body = payload();
    const headers = github(body, { 'x-github-delivery': 'one' });
    expect((await send(body, headers)).status).toBe(202);
    expect((await send(body, headers)).text).toContain('it came before');
    expect((await send(body, github(body, { 'x-github-delivery': 'two' }))).text).toContain('it came before');
    const other = payload({ n: 2 });
    expect((await send(other, github(other, { 'x-github-delivery': 'one' }))).text).toContain(
      'it came before',
    );
    await bench.run('plugin:disable', 'webhooks');
    await bench.run('plugin:enable', 'webhooks');
    expect((await send(body, headers)).text).toContain('it came before');
    await wasBegun(1);
    expect(deploys().length).toBe(1);
  });

  it('counts for the branch that is set, else the deploy branch', async () => {
    const of = async (branch: string) => {
      const body = payload({ ref: `refs/heads/${branch}`, n: randomUUID() });
      return (await send(body)).status;
    };
    expect([await of('main'), await of('next')]).toEqual([202, 200]);
    await bench.run('webhooks:set', 'blog', 'branch', 'next');
    expect([await of('main'), await of('next')]).toEqual([200, 202]);
    const tag = payload({ ref: 'refs/tags/next' });
    expect((await send(tag)).text).toContain('it is of another branch');
    const gone = payload({ ref: 'refs/heads/next', after: '0'.repeat(40) });
    expect((await send(gone)).text).toContain('the branch is gone');
  });

  it.each([
    [
      'another repository',
      payload({ repository: { clone_url: 'https://git.example.org/eve/blog.git' } }),
      422,
    ],
    ['no repository', payload({ repository: null }), 422],
    ['no ref', '{"repository":{}}', 400],
    ['no JSON', '{', 400],
    ['a list', '[]', 400],
    ['JSON that means another thing', '{"__proto__":{"ref":"refs/heads/main"}}', 400],
  ])('with %s deploys nothing', async (_what, body, status) => {
    expect((await send(body)).status).toBe(status);
    expect(deploys()).toEqual([]);
  });

  it('answers a ping, and leaves other events', async () => {
    const body = '{"zen":"Keep it logically awesome."}';
    expect((await send(body, github(body, { 'x-github-event': 'ping' }))).text).toContain('pong');
    expect((await send(body, github(body, { 'x-github-event': 'issues' }))).text).toContain('it is no push');
    const got = await fetch(`http://127.0.0.1:${port}/webhooks/blog`);
    expect(got.status).toBe(405);
  });

  it('that come while one is deployed lead to one deploy after it', async () => {
    let end = () => {};
    const held = new Promise<void>(resolve => {
      end = resolve;
    });
    bench.during.sync = () => held;
    for (let at = 0; at < 4; at++) expect((await send(payload({ at }))).status).toBe(202);
    expect(deploys().length).toBe(1);
    end();
    await wasBegun(2);
    await until(
      'the end',
      () => bench.store.properties.get(`app:${1}`, 'kept:webhooks:pending') === undefined,
      quick,
    );
    expect(deploys().length).toBe(2);
  });

  it('is not what a clone of the app has left to do, nor is its secret the clone’s', async () => {
    bench.during.sync = () => new Promise(() => {});
    await send(payload());
    await bench.run('apps:clone', '--skip-deploy', 'blog', 'copy');
    const value = async (key: string) =>
      (await bench.run('webhooks:report', 'copy', `--webhooks-${key}`)).stdout;
    expect([await value('repository'), await value('secret')]).toEqual([`${repository}\n`, '\n']);
    await bench.services.plugins.close();
    await bench.services.plugins.open();
    await wasBegun(2);
    expect(deploys().every(each => each.startsWith('blog '))).toBe(true);
  });

  it('is deployed after a restart when the daemon ended before', async () => {
    bench.during.sync = () => new Promise(() => {});
    await send(payload());
    await wasBegun(1);
    await bench.services.plugins.close();
    await bench.services.plugins.open();
    await wasBegun(2);
  });
});

describe('the endpoint of plugins', () => {
  it('takes no body over 5 MiB, and knows nothing but its plugins', async () => {
    const status = await new Promise(resolve => {
      const headers = { 'content-length': 6 * 2 ** 20 };
      const sent = httpRequest({ port, path: '/webhooks/blog', method: 'POST', headers }, response => {
        resolve(response.statusCode);
        sent.destroy();
      });
      sent.on('error', () => {});
      sent.flushHeaders();
    });
    expect(status).toBe(413);
    expect((await send('{}', {}, '/maintenance/')).status).toBe(404);
    expect((await send('{}', {}, '/')).status).toBe(404);
    await bench.run('plugin:disable', 'webhooks');
    expect((await send('{}')).status).toBe(404);
  });

  it('is shown in the report, and is never at the domain of an app', async () => {
    expect((await bench.run('webhooks:report', 'blog', '--webhooks-endpoint')).stdout).toBe(
      'https://hooks.example.org/webhooks/blog\n',
    );
    await bench.run('domains:add', 'blog', 'hooks.example.org');
    expect(bench.services.plugins.routes()).toEqual([]);
    expect((await bench.run('plugin:set', '--global', 'domain', 'hooks.example.org')).stderr).toContain(
      'already used by app blog',
    );
  });

  it('is gone without a domain', async () => {
    expect((await bench.run('plugin:set', '--global', 'domain', 'no host')).code).not.toBe(0);
    expect(bench.services.plugins.routes().length).toBe(1);
    await bench.run('plugin:set', '--global', 'domain');
    expect(bench.services.plugins.routes()).toEqual([]);
  });
});

describe('the secret', () => {
  it('must not be short, and is shown to nobody', async () => {
    const set = await bench.runWith({ words: ['webhooks:set', 'blog', 'secret'], stdin: 'short\n' });
    expect(set.stderr).toContain('at least 16 characters');
    expect((await bench.run('webhooks:report', 'blog')).stdout).not.toContain(secret);
  });

  it('signs as GitHub says it does', () => {
    // From GitHub's own documentation of its signatures.
    const right = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const sent = (body: string) => ({
      ...{ method: 'POST', path: '/blog', body: Buffer.from(body) },
      headers: {
        'x-github-event': 'push',
        'x-github-delivery': '1',
        'x-hub-signature-256': `sha256=${right}`,
      },
    });
    expect(verify(sent('Hello, World!'), "It's a Secret to Everybody")).toEqual({ event: 'push', id: '1' });
    expect(verify(sent('Hello, World?'), "It's a Secret to Everybody")).toBeUndefined();
  });
});

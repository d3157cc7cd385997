import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildpackHost, openBuildpackHost } from '../build/support/buildpack-host.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

type Notice = {
  readonly event: string;
  readonly app: string;
  readonly text: string;
  readonly message: string;
};

// Hosts on loopback stand in for a forge and a chat on the Internet.
describe('webhooks', () => {
  const secret = 'a secret of sixteen or more';
  const notices: Notice[] = [];
  const chat = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    notices.push(JSON.parse(body));
    response.end('ok');
  });
  let root: string;
  let forge: BuildpackHost;
  let wherry: Wherry;
  let repository: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'wherry-webhooks-'));
    forge = await openBuildpackHost(root);
    repository = `${forge.url}/smart/blog.git`;
    chat.listen(0, '127.0.0.1');
    await once(chat, 'listening');
    const there = `127.0.0.1:${(chat.address() as AddressInfo).port}`;
    wherry = await startWherry({ env: { WHERRY_ALLOW_HOSTS: `${forge.host},${there}` } });
    for (const words of [
      ['apps:create', 'blog'],
      ['plugin:enable', 'webhooks'],
      ['plugin:set', '--global', 'domain', 'hooks.example.org'],
      ['webhooks:set', 'blog', 'repository', repository],
    ])
      expect((await wherry.ssh(...words)).code, words.join(' ')).toBe(0);
    expect((await wherry.cliWith(`${secret}\n`, 'webhooks:set', 'blog', 'secret')).code).toBe(0);
    expect((await wherry.cliWith(`http://${there}/notices\n`, 'webhooks:set', 'blog', 'url')).code).toBe(0);
  });
  afterAll(async () => {
    await wherry?.stop();
    await forge?.close();
    chat.closeAllConnections();
    chat.close();
    rmSync(root, { recursive: true, force: true });
  });

  const push = (id: string, commit: string, key = secret) => {
    const body = JSON.stringify({
      ...{ ref: 'refs/heads/main', after: commit },
      repository: { clone_url: repository },
    });
    return ask({
      ...{ host: 'hooks.example.org', port: wherry.httpPort, path: '/webhooks/blog', method: 'POST', body },
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': id,
        'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
      },
    });
  };
  const page = async () => (await wherry.get('blog')).text;
  const releases = async () =>
    JSON.parse((await wherry.ssh('releases', 'blog', '--format', 'json')).stdout) as { commit: string }[];
  const told = (event: string) => notices.filter(each => each.event === event);

  it('deploy a signed push once, and refuse what is not signed or came before', async () => {
    const cron = [{ command: 'exit 7', schedule: '@yearly' }];
    const files = { 'index.html': 'from the forge', 'app.json': JSON.stringify({ cron }) };
    const commit = await forge.commit('blog', files);
    expect((await push('1', commit, 'another secret of sixteen')).status).toBe(401);
    expect(await releases()).toEqual([]);
    expect((await push('2', commit)).status).toBe(202);
    await until('the deploy', async () => (await page()) === 'from the forge', { timeout: 120_000 });
    expect((await releases()).map(each => each.commit)).toEqual([commit]);

    await forge.commit('blog', { 'index.html': 'not asked for' });
    const again = await push('2', commit);
    expect([again.status, again.text]).toEqual([200, expect.stringContaining('it came before')]);
    const replayed = await push('3', commit);
    expect([replayed.status, replayed.text]).toEqual([200, expect.stringContaining('it came before')]);
    expect((await wherry.ssh('builds:list', 'blog', '--format', 'json')).code).toBe(0);
    expect([await page(), (await releases()).length]).toEqual(['from the forge', 1]);
    await until('the notice', () => told('after-deploy').length === 1);
    expect(told('after-deploy')[0]).toMatchObject({ app: 'blog', text: expect.stringContaining('Deployed') });
  }, 180_000);

  it('tell of a cron task that fails, with its status', async () => {
    const [task] = JSON.parse((await wherry.ssh('cron:list', 'blog', '--format', 'json')).stdout);
    expect((await wherry.ssh('cron:run', 'blog', task.id)).code).toBe(0);
    await until('the notice', () => told('cron-failed').length === 1);
    expect(told('cron-failed')[0]).toMatchObject({
      app: 'blog',
      message: expect.stringMatching(/exit 7.*7/s),
    });
  }, 60_000);
});

import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/http.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('a push at a forge', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    await wherry.ssh('apps:create', 'blog');
  });
  afterAll(() => wherry?.stop());

  const send = (signature: string, body: string) =>
    ask({
      ...{ host: 'hooks.example.org', port: wherry.httpPort, path: '/webhooks/blog', method: 'POST', body },
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': '1',
        'x-hub-signature-256': `sha256=${signature}`,
      },
    });

  it('comes through the edge, and begins a deploy that is told of; also after the daemon was killed', async () => {
    const secret = 'a secret of sixteen or more';
    await wherry.ssh('plugin:enable', 'webhooks');
    expect((await wherry.ssh('plugin:set', '--global', 'domain', 'hooks.example.org')).code).toBe(0);
    expect((await wherry.cliWith(`${secret}\n`, 'webhooks:set', 'blog', 'secret')).code).toBe(0);
    // An address of this host, which nobody may make the platform fetch from.
    const repository = 'https://127.0.0.1/ann/blog.git';
    await wherry.ssh('webhooks:set', 'blog', 'repository', repository);
    await wherry.kill();
    await wherry.start();

    const body = JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: repository } });
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    expect((await send('0'.repeat(64), body)).status).toBe(401);
    const taken = await send(signature, body);
    expect([taken.status, taken.text]).toEqual([202, '{"app":"blog","result":"a deploy begins"}\n']);
    await until('the word of it', async () =>
      (await wherry.ssh('events', 'blog')).stdout.includes('A deploy that a push asked for failed'),
    );
    expect((await send(signature, body)).status).toBe(200);
    expect((await wherry.ssh('plugin:report', 'webhooks')).stdout).toMatch(/Plugin failures: +0/);
  });
});

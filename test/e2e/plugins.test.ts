import { createHmac } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/http.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('plugins', () => {
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

  it('take pushes of a forge through the edge, deploy and tell of it; also after the daemon was killed', async () => {
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

  it('come from a folder, code and programs, and stay over a kill of the daemon', async () => {
    const folder = join(wherry.scratch, 'greet');
    mkdirSync(join(folder, 'hooks'), { recursive: true });
    const about = { name: 'greet', version: '1.0.0', type: 'module', wherry: { plugin: 'greet', api: 1 } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(about));
    writeFileSync(
      join(folder, 'index.js'),
      `import { app, defineCommand, definePlugin, WherryError } from 'wherry/plugin';
      export default definePlugin({ name: 'greet', summary: 'Greets', commands: [defineCommand({
        name: 'greet:app', summary: 'Greet an app', args: { app }, access: { app: 'read' }, effect: 'read',
        run: (tools, input) => { throw new WherryError('conflict', 'Not greeting ' + tools.app(input.app).name + '.'); },
        text: () => [] })] });`,
    );
    // A told hook that cannot do what it tries says as whom it ran.
    const program = join(folder, 'hooks/app-created');
    writeFileSync(program, '#!/bin/sh\necho "ran as $(id -un)" >&2; exit 1\n');
    chmodSync(program, 0o755);
    expect((await wherry.ssh('plugin:install', folder)).code).toBe(0);
    await wherry.kill();
    expect((await wherry.cli('help', 'greet:app')).stdout).toContain('Usage: greet:app <app>');
    await wherry.start();
    const greeted = await wherry.ssh('greet:app', 'blog');
    expect([greeted.code, greeted.stderr]).toEqual([22, expect.stringContaining('Not greeting blog.')]);
    await wherry.ssh('apps:create', 'shop');
    await until('the program', async () =>
      (await wherry.ssh('plugin:report', 'greet')).stdout.includes('ran as wherry-plugin'),
    );
    expect((await wherry.ssh('plugin:uninstall', 'greet')).code).toBe(0);
  });
});

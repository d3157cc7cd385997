import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('apps on a network', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    for (const app of ['blog', 'shop']) {
      const pushed = await (await wherry.repository(app, { from: probe })).push();
      expect(pushed.code, pushed.output).toBe(0);
    }
    expect((await wherry.cli('network:create', 'backend')).code).toBe(0);
  });
  afterAll(() => wherry?.stop());

  /** What an instance of shop that runs gets from a host, or why it does not. */
  const ask = async (host: string) => {
    const script = `fetch('http://${host}:5000/', { signal: AbortSignal.timeout(3000) }).then(r => console.log(r.status), e => console.log(e.cause?.code ?? e.name))`;
    return (await wherry.cli('enter', 'shop', 'web.1', 'node', '-e', script)).stdout.trim();
  };
  const address = async () => {
    const script = 'console.log(Object.values(os.networkInterfaces()).flat().find(i => !i.internal).address)';
    return (await wherry.cli('enter', 'blog', 'web.1', 'node', '-e', script)).stdout.trim();
  };

  it('reach each other by name, from when they share it until they do not, and nobody else does', async () => {
    expect(await ask('blog.web')).toBe('ENOTFOUND');
    expect(await ask(await address())).toBe('TimeoutError');
    await wherry.cli('network:attach', 'blog', 'backend');
    await wherry.cli('network:attach', 'shop', 'backend');
    for (const name of ['blog', 'blog.web']) expect(await ask(name)).toBe('200');
    expect((await wherry.cli('network:info', 'backend', '--format', 'json')).stdout).toContain('shop');

    const before = await address();
    expect((await wherry.cli('ps:restart', 'blog')).code).toBe(0);
    expect(await address()).not.toBe(before);
    expect(await ask('blog.web')).toBe('200');
    await wherry.cli('ps:scale', 'blog', 'web=2');
    const second = await wherry.cli('enter', 'shop', 'web.1', 'getent', 'hosts', 'blog.web.2');
    expect(second.stdout).toMatch(/^10\.\S+ +blog\.web/);

    await wherry.cli('network:detach', 'blog', 'backend');
    expect(await ask('blog.web')).toBe('ENOTFOUND');
    expect(await ask(await address())).toBe('TimeoutError');
  });

  it('hold storage to its size, and tell when it is full', async () => {
    expect((await wherry.cli('storage:create', 'uploads', '--size', '32m')).code).toBe(0);
    await wherry.cli('docker-options:add', 'shop', 'run', '-v', 'uploads:/data');
    const fill = await wherry.cli('run', 'shop', 'dd', 'if=/dev/zero', 'of=/data/file', 'bs=1M', 'count=64');
    expect(fill.code).not.toBe(0);
    expect(fill.stderr).toContain('No space left on device');
    await until(
      'its app is told',
      async () => (await wherry.cli('events', 'shop')).stdout.includes('Storage uploads is full'),
      { timeout: 60_000 },
    );
  }, 120_000);
});

import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, InstanceSpec } from '../../../src/engine/engine.ts';
import { createEngineHost, type EngineHost, tracesOf } from './host.ts';

let host: EngineHost;
let engine: Engine;

beforeAll(async () => {
  host = await createEngineHost('networks');
  engine = host.create();
  await engine.open();
});
afterEach(async () => {
  for (const { id } of await engine.list()) await engine.remove(id);
});
afterAll(async () => {
  await engine.purge();
  expect(await tracesOf(host)).toEqual([]);
  await host.cleanUp();
});

const serving = 'exec nc -ll -p 8080 -e echo hello';
const backend = (...names: string[]) => [{ network: 'backend', names }];

async function start(script: string, changes: Partial<InstanceSpec> = {}) {
  const spec = host.spec(script, changes);
  const { address } = await engine.create(spec);
  await engine.start(spec.id);
  return { id: spec.id, address };
}

/** What a command prints inside a running instance. */
async function inside(id: string, script: string): Promise<string> {
  let text = '';
  await engine.exec(id, {
    argv: ['sh', '-c', script],
    onOutput: chunk => {
      text += chunk;
    },
  });
  return text.trim();
}
const reach = (id: string, where: string) => inside(id, `nc -w 2 ${where} 8080 </dev/null 2>&1`);

describe('instances of different apps', () => {
  test('do not reach each other, whatever network each is on by itself', async () => {
    const blog = await start(serving, { networks: [{ network: 'one', names: ['blog'] }] });
    const shop = await start('exec sleep 1000', { networks: [{ network: 'two', names: ['shop'] }] });
    const apart = await start('exec sleep 1000');
    expect(await reach(shop.id, blog.address)).not.toContain('hello');
    expect(await reach(apart.id, blog.address)).not.toContain('hello');
    expect(await inside(shop.id, 'cat /etc/hosts')).not.toContain('blog');
  });

  test('reach each other by name on a network that they share, at once and both ways', async () => {
    const blog = await start(serving, { networks: backend('blog', 'blog.web') });
    const shop = await start(serving, { networks: backend('shop.web') });
    const other = await start('exec sleep 1000');
    expect(await reach(shop.id, 'blog.web')).toBe('hello');
    expect(await reach(blog.id, 'shop.web')).toBe('hello');
    expect(await reach(other.id, blog.address)).not.toContain('hello');
    expect(await inside(shop.id, 'cat /etc/hosts')).toContain(`${blog.address}\tblog blog.web`);
  });

  test('follow joins, leaves, new addresses and removals without a restart', async () => {
    const shop = await start('exec sleep 1000');
    const old = await start(serving, { networks: backend('blog') });
    await engine.join(shop.id, backend());
    expect(await reach(shop.id, 'blog')).toBe('hello');
    const fresh = await start(serving, { networks: backend() });
    await engine.join(fresh.id, backend('blog'));
    await engine.join(old.id, backend());
    const hosts = await inside(shop.id, 'cat /etc/hosts');
    expect(hosts).toContain(`${fresh.address}\tblog`);
    expect(hosts).not.toContain(old.address);
    await engine.remove(old.id);
    expect(await reach(shop.id, 'blog')).toBe('hello');
    await engine.updateLimits(shop.id, { memory: 80 * 2 ** 20, pids: 20 });
    expect(await inside(shop.id, 'cat /etc/hosts')).toContain('blog');
    await engine.join(shop.id, []);
    expect(await inside(shop.id, 'cat /etc/hosts')).not.toContain('blog');
    expect(await reach(shop.id, fresh.address)).not.toContain('hello');
    await engine.join('gone.web.1', backend());
  });

  test('keep what they share over a restart of control', async () => {
    const blog = await start(serving, { networks: backend('blog') });
    const shop = await start('exec sleep 1000', { networks: backend('shop') });
    const outsider = await start('exec sleep 1000');
    await engine.close();
    engine = host.create();
    await engine.open();
    expect(await reach(shop.id, 'blog')).toBe('hello');
    expect(await reach(outsider.id, blog.address)).not.toContain('hello');
    await engine.remove(blog.id);
    expect(await inside(shop.id, 'cat /etc/hosts')).not.toContain('blog');
    const record = await readFile(`${host.engineRoot}/instances/${shop.id}/spec.json`, 'utf8');
    expect(JSON.parse(record)).toMatchObject({ spec: { networks: backend('shop') } });
  });
});

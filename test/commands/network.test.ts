import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { namedOn } from '../../src/domain/network.ts';
import { networksOf } from '../../src/networks.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const run = (line: string) => bench.run(...line.split(' '));
const app = () => bench.store.apps.get(parseAppName('blog'));
const reconnected = () =>
  bench.runtime.told.filter(({ verb }) => verb === 'reconnect').map(({ desired }) => desired.app.name);
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
  await run('network:create backend');
});

describe('networks', () => {
  it('are created, listed, told of and destroyed', async () => {
    await run('network:create cache');
    expect((await run('network:list')).stdout).toBe('=====> Networks\nbackend\ncache\n');
    expect(await run('network:exists cache')).toMatchObject({ code: 0, stdout: 'Network exists\n' });
    expect((await run('network:destroy cache')).code).not.toBe(0);
    expect((await run('network:destroy cache --force')).code).toBe(0);
    expect(await run('network:exists cache')).toMatchObject({ code: 1, stdout: 'Network does not exist\n' });
    await run('network:attach blog backend');
    expect(JSON.parse((await run('network:info backend --format json')).stdout)).toMatchObject({
      ...{ Name: 'backend', Driver: 'bridge', Apps: ['blog'] },
    });
    expect((await run('network:create backend')).stderr).toContain('exists already');
    expect((await run('network:destroy backend --force')).stderr).toContain('App blog is on network backend');
  });

  it('are joined and left at once, by name or by property', async () => {
    await run('network:create cache');
    await run('network:attach blog backend');
    await run('network:set blog attach-post-deploy cache');
    expect(networksOf(bench.store, app())).toEqual({ early: ['backend'], all: ['backend', 'cache'] });
    expect(reconnected()).toEqual(['blog', 'blog']);
    await run('network:detach blog backend');
    expect(networksOf(bench.store, app())).toEqual({ early: [], all: ['cache'] });
    await run('network:set blog attach-post-deploy');
    expect(networksOf(bench.store, app()).all).toEqual([]);
    await run('network:set blog attach-post-create backend,cache');
    expect(networksOf(bench.store, app()).early).toEqual(['backend', 'cache']);
    expect((await run('network:report blog --network-networks')).stdout).toBe('backend cache\n');
  });

  it('hold for all apps that have none of their own, and all of them are told', async () => {
    await bench.deployed('shop');
    await run('network:set --global initial-network backend');
    expect(networksOf(bench.store, app()).early).toEqual(['backend']);
    expect(reconnected()).toEqual(['blog', 'shop']);
    expect((await run('network:detach blog backend')).stderr).toContain('by what holds for all apps');
    expect((await run('network:destroy backend --force')).stderr).toContain('The setting for all apps');
    const { stdout } = await run('network:report blog --network-computed-initial-network');
    expect(stdout).toBe('backend\n');
  });

  it("give instances dokku's names, also with an end of one's own", () => {
    const place = { app: 'blog', type: 'web', index: 2 };
    const networks = { early: [], all: ['backend'] };
    expect(namedOn(networks, place)).toEqual([
      { network: 'backend', names: ['blog.web', 'blog.web.2', 'blog'] },
    ]);
    const [joined] = namedOn({ ...networks, tld: 'internal' }, { ...place, type: 'worker' });
    expect(joined?.names).toEqual([
      'blog.worker',
      'blog.worker.2',
      'blog.worker.internal',
      'blog.worker.2.internal',
    ]);
    expect(namedOn(networks, { ...place, app: 'localhost' })[0]?.names).not.toContain('localhost');
  });

  it.each([
    ['network:create bridge', 'are taken'],
    ['network:create ../x', 'is not a name of a network'],
    ['network:create a;b', 'is not a name of a network'],
    ['network:destroy cache --force', 'does not exist'],
    ['network:info cache', 'does not exist'],
    ['network:attach blog cache', 'does not exist'],
    ['network:set blog attach-post-create cache', 'does not exist'],
    ['network:set blog initial-network backend backend', 'takes one value'],
    ['network:set blog tld a..b', 'is no end of a name'],
    ['network:set blog bind-all-interfaces true', 'means nothing here'],
    ['network:set blog mtu 9000', 'Known are'],
    ['network:detach blog backend', 'is not on network backend'],
    ['network:attach shop backend', 'does not exist'],
  ])('refuse %s', async (line, reason) => {
    const ran = await run(line);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(networksOf(bench.store, app()).all).toEqual([]);
  });
});

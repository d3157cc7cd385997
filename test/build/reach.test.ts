import { describe, expect, it } from 'vitest';
import { type ReachOptions, reachOf } from '../../src/build/reach.ts';

const addresses: Readonly<Record<string, readonly string[]>> = {
  'npm.example': ['8.8.4.4'],
  'cache.lan': ['10.1.2.3', '10.1.2.4'],
  'proxy.lan': ['192.168.7.7'],
};

async function reach(options: Partial<ReachOptions>) {
  const warnings: string[] = [];
  const asked: string[] = [];
  const hosts = await reachOf({
    network: 'registries',
    env: {},
    allowed: new Set(),
    warn: text => warnings.push(text),
    resolve: async name => {
      asked.push(name);
      const found = addresses[name];
      if (!found) throw new Error('unknown');
      return found;
    },
    ...options,
  });
  return { hosts, warnings, asked };
}

describe('what a build may reach', () => {
  it('with none is nothing, and nothing is looked up', async () => {
    const env = { REGISTRY: 'https://npm.example/' };
    expect(await reach({ network: 'none', env })).toEqual({ hosts: [], warnings: [], asked: [] });
  });

  it('with registries is what the operator named, each at its own ports', async () => {
    const { hosts, warnings } = await reach({
      env: {
        REGISTRY: 'https://npm.example/path?x=1',
        PIP: 'http://user:secret@cache.lan:8080/simple,https://cache.lan/other',
        GOPROXY: 'https://npm.example|direct',
        NAME: 'npm.example',
      },
      allowed: new Set(['proxy.lan', 'cache.lan:9000']),
    });
    expect(hosts).toEqual([
      { name: 'npm.example', ports: [443], addresses: ['8.8.4.4'] },
      { name: 'cache.lan', ports: [8080, 443, 9000], addresses: ['10.1.2.3', '10.1.2.4'] },
      { name: 'proxy.lan', ports: [80, 443], addresses: ['192.168.7.7'] },
    ]);
    expect(warnings).toEqual([]);
  });

  it('with all is, beyond the Internet, what is named and private', async () => {
    const { hosts } = await reach({
      network: 'all',
      env: { REGISTRY: 'https://npm.example/', CACHE: 'http://cache.lan/' },
    });
    expect(hosts.map(({ name }) => name)).toEqual(['cache.lan']);
  });

  it('with registries and none set is told to be nothing, with the remedy', async () => {
    const { hosts, warnings } = await reach({});
    expect(hosts).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/nothing is in reach\. Set them in .* WHERRY_ALLOW_HOSTS\.$/),
    ]);
    expect((await reach({ network: 'all' })).warnings).toEqual([]);
  });

  it('tells of a host that is not known, without what else its URL says', async () => {
    const env = { REGISTRY: 'https://user:secret@gone.example/token' };
    const { hosts, warnings } = await reach({ env });
    expect(hosts).toEqual([{ name: 'gone.example', ports: [443], addresses: [] }]);
    expect(warnings).toEqual([
      "Host gone.example is not known to this host's DNS: the build cannot reach it.",
    ]);
  });

  it.each(['https://', 'http://[', 'ftp://cache.lan/', 'https//npm.example', ''])(
    'does not count %j as a host',
    async text => {
      expect((await reach({ env: { X: text } })).asked).toEqual([]);
    },
  );
});

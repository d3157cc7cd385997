import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

/** A fresh Ed25519 key as ssh-keygen would write it. */
function publicKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.from(x, 'base64url'))]);
  return `ssh-ed25519 ${blob.toString('base64')} alice@laptop`;
}

let bench: Bench;
let key: string;
beforeEach(() => {
  bench = createBench();
  key = publicKey();
});

describe('ssh-keys:add', () => {
  it('takes a key from standard input and tells its fingerprint', async () => {
    const added = await bench.runWith({ words: ['ssh-keys:add', 'alice'], stdin: `${key}\n` });
    expect(added).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^SHA256:\S{43}\n$/),
      stderr: expect.stringMatching(/^ ! .*access:grant alice deployer\n$/),
    });
    expect((await bench.run('ssh-keys:list')).stdout).toMatch(/^SHA256:\S+ NAME="alice"/);
    expect(bench.store.keys.list()[0]?.publicKey).toBe(key.replace(' alice@laptop', ''));
  });

  it('takes a key as words too', async () => {
    expect((await bench.run('ssh-keys:add', 'alice', ...key.split(' '))).code).toBe(0);
    expect((await bench.run('ssh-keys:list', 'alice')).code).toBe(0);
  });

  it('refuses a key that is there already, and takes several of one user', async () => {
    await bench.run('ssh-keys:add', 'alice', key);
    expect((await bench.run('ssh-keys:add', 'bob', key)).stderr).toMatch(/registered already, as alice/);
    expect(bench.store.people.exists('bob')).toBe(false);
    expect((await bench.run('ssh-keys:add', 'alice', publicKey())).code).toBe(0);
    expect(JSON.parse((await bench.run('ssh-keys:list', 'alice', '--format', 'json')).stdout)).toHaveLength(
      2,
    );
  });

  it('makes admin, and the first user of all, an owner; others have no role yet', async () => {
    bench.store.people.remove('ann');
    await bench.run('ssh-keys:add', 'alice', key);
    const { stderr } = await bench.run('ssh-keys:add', 'bob', publicKey());
    await bench.run('ssh-keys:add', 'admin', publicKey());
    expect(stderr).toMatch(/bob may do nothing yet: access:grant bob/);
    const rolesOf = (name: string) => bench.store.people.grants(name);
    expect([rolesOf('alice'), rolesOf('bob'), rolesOf('admin')]).toEqual([
      [{ role: 'owner' }],
      [],
      [{ role: 'owner' }],
    ]);
  });

  it.each([
    [''],
    ['hello'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\n'],
    ['ssh-ed25519 AAAA'],
    ['x'.repeat(100_000)],
  ])('refuses %.30j in a sentence', async stdin => {
    const { code, stderr } = await bench.runWith({ words: ['ssh-keys:add', 'alice'], stdin });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ ! {5}[A-Z][^\n]*\.\n$/);
    expect(bench.store.keys.list()).toEqual([]);
  });

  it.each([[''], ['a b'], ['../x'], ['-x'], ['x'.repeat(64)], ['a\nb']])(
    'refuses the name %j',
    async name => {
      expect((await bench.run('ssh-keys:add', '--', name, key)).stderr).toMatch(/Key name/);
    },
  );
});

describe('ssh-keys:remove', () => {
  beforeEach(() => bench.run('ssh-keys:add', 'alice', key));

  it('goes by name or fingerprint, and warns when none is left', async () => {
    const { code, stderr } = await bench.run('ssh-keys:remove', 'alice');
    expect(code).toBe(0);
    expect(stderr).toMatch(/No SSH key is left/);
    const { stdout } = await bench.run('ssh-keys:add', 'alice', key);
    expect((await bench.run('ssh-keys:remove', '--fingerprint', stdout.trim())).code).toBe(0);
    expect((await bench.run('ssh-keys:list')).stderr).toMatch(/No SSH keys found/);
  });

  it('takes all keys of a user by name, and one by fingerprint', async () => {
    const second = await bench.run('ssh-keys:add', 'alice', publicKey());
    await bench.run('ssh-keys:add', 'bob', publicKey());
    await bench.run('ssh-keys:remove', '--fingerprint', second.stdout.trim());
    expect(bench.store.keys.of('alice')).toHaveLength(1);
    await bench.run('ssh-keys:add', 'alice', publicKey());
    await bench.run('ssh-keys:remove', 'alice');
    expect(bench.store.keys.list().map(({ name }) => name)).toEqual(['bob']);
  });

  it('refuses what is not there, and needs one of the two', async () => {
    expect((await bench.run('ssh-keys:remove', 'bob')).stderr).toMatch(/SSH key "bob" does not exist/);
    expect((await bench.run('ssh-keys:remove')).code).toBe(2);
    expect(bench.store.keys.list()).toHaveLength(1);
  });
});

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { strays } from '../support/invariants.ts';
import { leftovers } from '../support/leftovers.ts';
import { startTraffic } from '../support/traffic.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// An app gets another name while visitors come, and while the daemon is killed in the middle of it.

let wherry: Wherry;
let name = 'app-0';
let names = 0;

beforeAll(async () => {
  wherry = await startWherry();
  const repository = await wherry.repository(name, { files });
  const pushed = await repository.push();
  expect(pushed.code, pushed.output).toBe(0);
  const added = await wherry.cli('domains:add', name, wherry.hostOf('www'));
  expect(added.code, added.output).toBe(0);
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it('fails no request, takes everything along, and leaves nothing under the old name', async () => {
  const traffic = visitors();
  const [old, fresh] = next();
  const renamed = await wherry.cli('apps:rename', old, fresh);
  expect(renamed.code, renamed.output).toBe(0);
  expect((await traffic.end()).failures).toEqual([]);
  await expectMoved(old);
});

it.each(['rename:stored', 'rename:moved', 'deploy:ready', 'rename:replaced'])(
  'killed at %s it fails no request, and is complete when the daemon is back',
  async point => {
    await wherry.kill();
    await wherry.start(point);
    const traffic = visitors();
    const [old, fresh] = next();
    expect((await wherry.cli('apps:rename', old, fresh)).code).not.toBe(0);
    await wherry.ended();
    await wherry.start();
    await expectMoved(old);
    expect((await traffic.end()).failures).toEqual([]);
  },
);

function next(): [old: string, fresh: string] {
  const old = name;
  name = `app-${++names}`;
  return [old, name];
}

/** By the domain that stays. */
const visitors = () =>
  startTraffic({ port: wherry.httpPort, host: wherry.hostOf('www') }, { clients: 2, pause: 20 });

async function expectMoved(old: string): Promise<void> {
  const { data } = wherry;
  expect((await wherry.cli('apps:exists', old)).code).toBe(20);
  expect((await wherry.get(name)).text).toBe('hello');
  expect((await wherry.get(old)).status).toBe(404);
  // The last instances of the old name drain, then its group goes.
  await expect
    .poll(async () => (await leftovers(data)).filter(line => line.includes(old)), { timeout: 60_000 })
    .toEqual([]);
  await expect.poll(() => strays(data), { timeout: 20_000 }).toEqual([]);
  for (const folder of ['repos', 'builds', 'builds-log', 'logs', 'edge/access'])
    expect(existsSync(join(data, folder)) ? readdirSync(join(data, folder)) : [], folder).not.toContainEqual(
      expect.stringMatching(new RegExp(`^${old}(\\.|$)`)),
    );
  const rebuilt = await wherry.cli('ps:rebuild', name);
  expect(rebuilt.code, rebuilt.output).toBe(0);
  expect((await wherry.cli('logs', name)).stdout).toContain('started');
}

const files = {
  Procfile: 'web: perl serve.pl\n',
  'serve.pl': `use Socket;
$| = 1;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in($ENV{PORT}, INADDR_ANY)) or die;
listen($server, 16) or die;
print "started\\n";
while (accept(my $client, $server)) {
    while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
    print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nhello";
    close $client;
}
`,
};

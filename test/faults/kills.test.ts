import { afterAll, beforeAll, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { edgePids } from '../support/edge-process.ts';
import { strays } from '../support/invariants.ts';
import { Ledger } from '../support/ledger.ts';
import { fuzzSeed, mulberry } from '../support/random.ts';
import { startTraffic } from '../support/traffic.ts';
import { sleep } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// The daemon dies at moments that nobody chose, while visitors come and changes are made. `bin/bench faults control` is the long form.

const seed = fuzzSeed();
const random = mulberry(seed);
let wherry: Wherry;

beforeAll(async () => {
  wherry = await startWherry();
  const pushed = await (await wherry.repository('app', { from: probe })).push();
  expect(pushed.code, pushed.output).toBe(0);
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it(`loses no request and no acknowledged change when the daemon is killed at random (seed ${seed})`, async () => {
  const ledger = new Ledger({ data: wherry.data, app: 'app', random });
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') }, { clients: 2 });
  for (let kill = 0; kill < 4; kill += 1) {
    const writing = writeUntilCut(ledger);
    await sleep(random() * 600);
    await wherry.kill();
    await writing;
    await wherry.start();
    expect(await ledger.check()).toEqual([]);
  }
  expect(ledger.acknowledged).toBeGreaterThan(0);
  expect((await traffic.end()).failures).toEqual([]);
  await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
});

it('goes on where it was when the daemon is stopped and continued, and visitors do not notice', async () => {
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') }, { clients: 2 });
  const setting = wherry.cli('config:set', 'app', 'SEEN=yes');
  await sleep(random() * 400);
  process.kill(wherry.daemonPid(), 'SIGSTOP');
  await sleep(500);
  process.kill(wherry.daemonPid(), 'SIGCONT');
  expect((await setting).code).toBe(0);
  expect((await wherry.get('app', '/env?key=SEEN')).text).toBe('yes');
  expect((await traffic.end()).failures).toEqual([]);
});

it('ends an edge that hangs when the daemon comes back, and serves by another', async () => {
  const [hung = 0] = edgePids(wherry.data);
  process.kill(hung, 'SIGSTOP');
  await wherry.kill();
  await wherry.start();
  await expect.poll(async () => (await wherry.get('app')).status, { timeout: 20_000 }).toBe(200);
  expect(edgePids(wherry.data)).not.toContain(hung);
});

async function writeUntilCut(ledger: Ledger): Promise<void> {
  while (await ledger.write());
}

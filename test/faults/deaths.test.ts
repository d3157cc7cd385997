import { afterAll, beforeAll, expect, it } from 'vitest';
import { probe, probeSaying } from '../support/apps.ts';
import { callApi } from '../support/call-api.ts';
import { edgePids } from '../support/edge-process.ts';
import { strays } from '../support/invariants.ts';
import { leftovers } from '../support/leftovers.ts';
import { starve } from '../support/starve.ts';
import { startTraffic } from '../support/traffic.ts';
import { sleep, until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// What is not the daemon dies, or the kernel kills for memory: each is told, and comes back.

let wherry: Wherry;

beforeAll(async () => {
  wherry = await startWherry();
  const loop = { Procfile: 'web: node server.js\nloop: sleep 1; exit 5\n' };
  const pushed = await (
    await wherry.repository('app', { from: probe, files: { ...probeSaying('app'), ...loop } })
  ).push();
  expect(pushed.code, pushed.output).toBe(0);
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it('a supervisor of an instance: its instance is told to be gone, and another runs', async () => {
  const [conmon] = (await leftovers(wherry.data)).filter(line => /^process: \d+ \S*conmon .*web/.test(line));
  process.kill(Number(conmon?.split(' ')[1]), 'SIGKILL');
  await until('the end to be told', async () => {
    // Its output has nobody to read it any more.
    await wherry.get('app', '/log?text=lost').catch(() => {});
    return /crash: web\.1/.test(await events('app'));
  });
  await serves();
  await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
});

it('an app that hangs: who came waits, and is answered when it goes on', async () => {
  const [init] = (await leftovers(wherry.data)).filter(line => /^process: \d+ node server\.js/.test(line));
  const pid = Number(init?.split(' ')[1]);
  process.kill(pid, 'SIGSTOP');
  const asked = wherry.get('app');
  await sleep(300);
  process.kill(pid, 'SIGCONT');
  expect((await asked).status).toBe(200);
});

it('an edge that the kernel kills for memory: it is told, and another serves', async () => {
  const [edge = 0] = edgePids(wherry.data);
  await starve(edge, () => wherry.get('app', '/', { timeout: 1000 }));
  await serves();
  expect(edgePids(wherry.data)).not.toContain(edge);
  expect(await events()).toContain('An edge process ended by itself');
});

it('a daemon that the kernel kills for memory: no visitor notices', async () => {
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') }, { clients: 2 });
  await starve(wherry.daemonPid(), () => callApi(wherry.data, 'apps/list'));
  await wherry.ended();
  await wherry.start();
  expect((await wherry.cli('ps:report', 'app')).code).toBe(0);
  expect((await traffic.end()).failures).toEqual([]);
});

it('fifteen processes that crash all the time: ever later, beside an app that serves and a daemon that answers', async () => {
  const limited = await wherry.cli('resource:limit', '--process-type', 'loop', '--memory', '32m', 'app');
  expect(limited.code, limited.output).toBe(0);
  expect((await wherry.cli('checks:disable', 'app', 'loop')).code).toBe(0);
  const scaled = await wherry.cli('ps:scale', 'app', 'loop=15');
  expect(scaled.code, scaled.output).toBe(0);
  const traffic = startTraffic(
    { port: wherry.httpPort, host: wherry.hostOf('app') },
    { clients: 2, pause: 20 },
  );
  const before = crashes(await events('app'));
  await sleep(6000);
  const begun = performance.now();
  expect((await callApi(wherry.data, 'apps/list')).status).toBe(200);
  expect(performance.now() - begun).toBeLessThan(5000);
  const among = crashes(await events('app')) - before;
  expect(among).toBeGreaterThan(15);
  // A pause of 1 s, then 2, then 4: in six seconds and a little none can end more than four times.
  expect(among).toBeLessThan(15 * 6);
  expect((await wherry.cli('ps:scale', 'app', 'loop=0')).code).toBe(0);
  expect((await traffic.end()).failures).toEqual([]);
  await expect.poll(() => strays(wherry.data), { timeout: 30_000 }).toEqual([]);
});

const crashes = (text: string) => text.split('\n').filter(line => /crash: loop\./.test(line)).length;

const events = async (...app: string[]) => (await wherry.cli('events', ...app, '--num', '1000')).stdout;

async function serves(): Promise<void> {
  await until('the app to be back', async () => (await wherry.get('app')).status === 200);
}

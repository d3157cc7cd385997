import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { probe, probeSaying } from '../support/apps.ts';
import { sleep, until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe.each([1, 2])('an app that sleeps (workers of the edge: %i)', workers => {
  let wherry: Wherry;
  const asleep = async () => (await wherry.cli('sleep:report', 'app', '--sleep-asleep')).stdout.trim();
  const putToSleep = async (depth: 'light' | 'deep') => {
    const ran = await wherry.cli('sleep:now', 'app', '--depth', depth);
    expect(ran.code, ran.stderr).toBe(0);
  };
  beforeAll(async () => {
    wherry = await startWherry({ env: { WHERRY_EDGE_WORKERS: String(workers) } });
    const pushed = await (await wherry.repository('app', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  it.each(['light', 'deep'] as const)('answers all who come at once (%s)', async depth => {
    await putToSleep(depth);
    expect(await asleep()).toBe(depth);
    expect((await wherry.ssh('ps:report', 'app')).stdout).toMatch(depth === 'light' ? /frozen/ : /asleep/);
    const answers = await Promise.all(Array.from({ length: 30 }, () => wherry.get('app', '/whoami')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers[0]?.headers['server-timing']).toMatch(/^wake;dur=\d+$/);
    expect(await asleep()).toBe('no');
    const { stdout } = await wherry.cli('events', 'app');
    expect(stdout.match(/wake: Woken/g)?.length).toBe(depth === 'light' ? 1 : 2);
    expect(stdout).toContain(`Woken by GET ${wherry.hostOf('app')}/whoami from 127.0.0.1`);
  });

  it('is not put to sleep under an open WebSocket, and one may wake it', async () => {
    await putToSleep('light');
    const socket = new WebSocket(`ws://127.0.0.1:${wherry.httpPort}/`, {
      headers: { host: wherry.hostOf('app') },
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const refused = await wherry.cli('sleep:now', 'app');
    expect(refused.code).toBe(22);
    expect(refused.stderr).toContain('a request is in flight');
    const echoed = new Promise(resolve => socket.once('message', data => resolve(String(data))));
    socket.send('still here');
    expect(await echoed).toBe('still here');
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.close();
    await closed;
    await until('it sleeps', async () => (await wherry.cli('sleep:now', 'app')).code === 0);
  });

  it('lets requests wait while the daemon is away, and wakes when it is back', async () => {
    await wherry.get('app');
    await putToSleep('light');
    await wherry.kill();
    const waiting = wherry.get('app', '/whoami');
    await sleep(300);
    await wherry.start();
    expect((await waiting).status).toBe(200);
  });

  it('is woken by no request that does not count as use', async () => {
    await wherry.cli('sleep:set', 'app', 'ignore-paths=/health');
    await putToSleep('deep');
    const ignored = await wherry.get('app', '/health');
    expect([ignored.status, ignored.headers['x-wherry-reason']]).toEqual([503, 'app-asleep']);
    expect(await asleep()).toBe('deep');
    await wherry.cli('sleep:set', 'app', 'ignore-paths=');
  });

  it('goes to sleep by itself, first frozen and then stopped, and says why', async () => {
    const set = await wherry.ssh('autoscale:set', 'app', 'min=0', 'idle=1s', 'awake=0', 'deep-after=3s');
    expect(set.code, set.stderr).toBe(0);
    expect((await wherry.get('app')).status).toBe(200);
    const explained = await wherry.ssh('autoscale:explain', 'app');
    expect(explained.stdout).toContain('app web: 1');
    await until('it is frozen', async () => (await asleep()) === 'light');
    await until('it is stopped', async () => (await asleep()) === 'deep');
    expect((await wherry.get('app')).status).toBe(200);
    expect((await wherry.cli('events', 'app')).stdout).toContain('Frozen: It was not used for ');
    await wherry.ssh('autoscale:set', 'app', 'min=', 'idle=', 'awake=', 'deep-after=');
  });

  it('stays awake as long as it says that it is busy, over a restart of the platform too', async () => {
    const lease = async (method: string, path: string) => {
      const asked = new URLSearchParams({ method, path });
      return JSON.parse((await wherry.get('app', `/lease?${asked}`)).text);
    };
    const said = await lease('POST', '/busy?seconds=600');
    expect(said).toEqual({ busy_until: expect.stringMatching(/^\d{4}-/) });
    await wherry.ssh('autoscale:set', 'app', 'min=0', 'idle=1s', 'awake=0', 'deep-after=3s');
    await wherry.kill();
    await wherry.start();
    await until('it is asked about', async () => {
      const { stdout } = await wherry.ssh('autoscale:explain', 'app');
      return stdout.includes(`It says that it is busy until ${said.busy_until}`);
    });
    expect(await asleep()).toBe('no');
    expect((await wherry.ssh('ps:report', 'app', '--busy-until')).stdout.trim()).toBe(said.busy_until);
    expect(await lease('GET', '/')).toEqual(said);
    expect(await lease('DELETE', '/busy')).toEqual({ busy_until: null });
    await until('it is frozen', async () => (await asleep()) === 'light');
    await wherry.get('app');
    await wherry.ssh('autoscale:set', 'app', 'min=', 'idle=', 'awake=', 'deep-after=');
  });

  it('wakes into a new release', async () => {
    await wherry.get('app');
    await putToSleep('deep');
    const repository = await wherry.repository('app', { from: probe, files: { note: 'two\n' } });
    const pushed = await repository.push('--force', 'wherry', 'main');
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('app')).status).toBe(200);
  });

  it('scales as its app.json says, which refuses the push when it is wrong', async () => {
    const push = async (autoscaling: object) => {
      const files = { 'app.json': JSON.stringify({ formation: { web: { quantity: 2, autoscaling } } }) };
      const repository = await wherry.repository('app', { from: probe, files });
      return await repository.push('--force', 'wherry', 'main');
    };
    const pushed = await push({ min_quantity: 0, max_quantity: 3, idle: '1h' });
    expect(pushed.code, pushed.output).toBe(0);
    expect(pushed.output).toContain('Deploying web (count=2)');
    const refused = await push({ min_quantity: 9, max_quantity: 3 });
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('Invalid app.json: formation.web.autoscaling: min=9 is above max=3.');
    const { stdout } = await wherry.ssh('autoscale:report', 'app', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      'web-automatic': 'true',
      'app-json-web-idle': '1h',
      'computed-web-min': '0',
      'computed-web-max': '3',
    });
  });

  it('that does not start says so at once to who comes next, and is tried again later', async () => {
    const check = "import { existsSync as was } from 'node:fs';\nif (was('broken')) process.exit(7);\n";
    const files = { 'server.js': check + probeSaying('breaks')['server.js'] };
    const repository = await wherry.repository('app', { from: probe, files });
    const pushed = await repository.push('--force', 'wherry', 'main');
    expect(pushed.code, pushed.output).toBe(0);
    await wherry.get('app', '/write?path=broken');
    await putToSleep('deep');
    for (let round = 0; round < 2; round += 1) {
      const answer = await wherry.get('app');
      expect([answer.status, answer.headers['x-wherry-reason']]).toEqual([503, 'app-crashed']);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.text).toContain('web.1 exited with status 7');
    }
    expect((await wherry.cli('events', 'app')).stdout).toContain('web.1 exited with status 7');
    await until('it may be tried again', async () => {
      const { stdout } = await wherry.cli('events', 'app');
      await wherry.get('app');
      return stdout.split('It does not start').length > 2;
    });
  });
});

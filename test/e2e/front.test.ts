import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../../src/system/exec.ts';
import { probe } from '../support/apps.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const present = hasProgram('haproxy');

describe.skipIf(!present)(`HAProxy in front${present ? '' : ' (skipped: it is not installed)'}`, () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('app', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  const restart = async () => {
    await wherry.kill();
    await wherry.start();
  };
  const set = async (type: string) => {
    const ran = await wherry.cli('proxy:set', '--global', `type=${type}`);
    expect(ran.code, ran.output).toBe(0);
    await restart();
  };
  /** What the edge has answered for the app, by its own count. */
  const byEdge = async () => {
    const { stdout } = await wherry.cli('proxy:metrics');
    return stdout
      .split('\n')
      .filter(line => /^wherry_edge_requests_total\{app="app"/.test(line))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  it('serves past the edge once it was chosen, and stays over a restart of the daemon', async () => {
    await wherry.get('app', '/whoami');
    expect(await byEdge()).toBeGreaterThan(0);
    await set('haproxy');
    const pid = await until('HAProxy runs', () => haproxyOf(wherry.data));
    expect((await wherry.get('app', '/whoami')).status).toBe(200);
    const before = await byEdge();
    const answers = await Promise.all(Array.from({ length: 20 }, () => wherry.get('app', '/whoami')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await byEdge()).toBe(before);
    await restart();
    expect(haproxyOf(wherry.data)).toBe(pid);
    expect((await wherry.get('app', '/whoami')).status).toBe(200);
    expect(uidOf(pid)).not.toBe('0');
  });

  it.each(['light', 'deep'])('lets the app sleep (%s), and the next request wakes it', async depth => {
    await until('it sleeps', async () => (await wherry.cli('sleep:now', 'app', '--depth', depth)).code === 0);
    const answer = await wherry.get('app', '/whoami');
    expect(answer.status).toBe(200);
    expect(answer.headers['server-timing']).toMatch(/^wake;dur=\d+$/);
    await until('it serves past the edge again', async () => {
      const before = await byEdge();
      await wherry.get('app', '/whoami');
      return (await byEdge()) === before;
    });
  });

  it('keeps the app awake, and its old instance there, for a request that the edge knows nothing of', async () => {
    const before = await byEdge();
    const headers = { host: wherry.hostOf('app') };
    const stream = request({ host: '127.0.0.1', port: wherry.httpPort, path: '/events', headers }).end();
    const [answer] = (await once(stream, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    const refused = await wherry.cli('sleep:now', 'app');
    expect(refused.code).toBe(22);
    expect(refused.stderr).toContain('a request is in flight');
    stream.on('error', () => {}).destroy();
    const slow = wherry.get('app', '/slow?ms=4000');
    const restarted = wherry.cli('ps:restart', 'app');
    expect(await slow).toMatchObject({ status: 200, text: 'done' });
    expect((await restarted).code).toBe(0);
    expect(await byEdge()).toBe(before);
  });

  it('comes back when it was killed', async () => {
    const pid = haproxyOf(wherry.data);
    process.kill(Number(pid), 'SIGKILL');
    await until('another runs', () => {
      const now = haproxyOf(wherry.data);
      return now !== undefined && now !== pid;
    });
    await until('it answers', async () => (await wherry.get('app', '/whoami')).status === 200);
  });

  it('goes when the edge is to serve alone', async () => {
    await set('edge');
    expect(haproxyOf(wherry.data)).toBeUndefined();
    expect((await wherry.get('app', '/whoami')).status).toBe(200);
  });
});

function haproxyOf(data: string): string | undefined {
  return readdirSync('/proc').find(name => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return words[0] === 'haproxy' && words.some(word => word.startsWith(data));
    } catch {
      return false;
    }
  });
}

function uidOf(pid: string): string | undefined {
  return /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}

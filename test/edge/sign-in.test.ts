import { beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, isPassword } from '../../src/domain/password-hash.ts';
import type { Route } from '../../src/domain/route.ts';
import { SignIn } from '../../src/edge/sign-in.ts';
import { demo, exchange, get, ok, startRawApp, startTestEdge } from './harness.ts';
import { ask as askHttp2, openSession, startSecureEdge } from './http2-harness.ts';

let hash = '';
beforeAll(async () => {
  hash = await hashPassword('pä:ss');
});

const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
const as = (login: string) => get('/', `Authorization: ${basic(login)}\r\n`);
const hold = { timeout: 1000, queue: 1, waitingPage: false, ignorePaths: [], ignoreAgents: [] };

async function start(route: Partial<Route> = {}) {
  const app = await startRawApp(socket => socket.write(ok));
  const routes = (port: number) =>
    demo(port).map((each): Route => ({ ...each, auth: { users: { ann: hash } }, ...route }));
  return { app, routes, edge: await startTestEdge(routes(app.port)) };
}

describe('a hash of a password', () => {
  it('is of that password alone, and never twice the same', async () => {
    expect(hash).toMatch(/^scrypt\$16384\$8\$1\$/);
    expect(await isPassword('pä:ss', hash)).toBe(true);
    expect(await isPassword('pass', hash)).toBe(false);
    expect(await hashPassword('pä:ss')).not.toBe(hash);
  });

  it.each(['', 'pä:ss', 'scrypt$$$$$', 'md5$1$1$1$AA==$AA=='])('is not %j', async text => {
    expect(await isPassword('pä:ss', text)).toBe(false);
  });
});

describe('an app that asks for a password', () => {
  it('is reached by who has one, first and again, and is told who it is', async () => {
    const { app, edge } = await start();
    expect(await exchange(edge.port, as('ann:pä:ss'))).toContain('200 OK');
    expect(await exchange(edge.port, as('ann:pä:ss'))).toContain('200 OK');
    expect(app.received[0]).toContain(`Authorization: ${basic('ann:pä:ss')}\r\n`);
  });

  it.each([
    ['nothing', get()],
    ['a wrong password', as('ann:pass')],
    ['no such user', as('bob:pä:ss')],
    ['a name of every object', as('constructor:x')],
    ['no colon', as('ann')],
    ['another scheme', get('/', 'Authorization: Bearer x\r\n')],
    ['what is no base64', get('/', 'Authorization: Basic ???\r\n')],
    ['two logins', get('/', `Authorization: ${basic('ann:pä:ss')}\r\nauthorization: ${basic('root:x')}\r\n`)],
    ['the hash itself', as(`ann:${'scrypt$16384$8$1$'}`)],
  ])('asks who sends %s', async (_name, text) => {
    const { app, edge } = await start();
    expect(await exchange(edge.port, text)).toMatch(
      /^HTTP\/1\.1 401 [\s\S]*X-Wherry-Reason: sign-in\r\nWWW-Authenticate: Basic realm="demo", charset="UTF-8"\r\n/,
    );
    expect(app.received).toEqual([]);
  });

  it('asks nobody from an allowed address', async () => {
    const { edge } = await start({ auth: { users: {}, allowed: ['127.0.0.0/8'] } });
    expect(await exchange(edge.port, get())).toContain('200 OK');
  });

  it('is not woken before, nor says what state it is in', async () => {
    const { edge, routes } = await start({ state: 'asleep', targets: [], hold });
    expect(await exchange(edge.port, as('ann:no'))).toMatch(/^HTTP\/1\.1 401 /);
    expect(edge.woken).toEqual([]);
    edge.apply(routes(1).map(each => ({ ...each, state: 'crashed', targets: [] })));
    expect(await exchange(edge.port, get())).toMatch(/^HTTP\/1\.1 401 /);
    expect(await exchange(edge.port, as('ann:pä:ss'))).toMatch(/^HTTP\/1\.1 503 [\s\S]*: app-crashed\r\n/);
  });

  it('lets a websocket through with a password, and refuses it without', async () => {
    const { app, edge } = await start();
    const upgrade = (more: string) =>
      `GET /ws HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
    expect(await exchange(edge.port, upgrade(''))).toMatch(/^HTTP\/1\.1 401 /);
    expect(app.received).toEqual([]);
    await exchange(edge.port, upgrade(`Authorization: ${basic('ann:pä:ss')}\r\n`));
    expect(app.received.join('')).toContain('Upgrade: websocket');
  });

  it('asks over HTTP/2 too', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const secure = await startSecureEdge(
      demo(app.port).map(each => ({ ...each, auth: { users: { ann: hash } } })),
    );
    const session = await openSession(secure.securePort);
    expect(await askHttp2(session, {})).toMatchObject({ status: 401 });
    expect(app.received).toEqual([]);
    const answers = await Promise.all(
      [1, 2, 3].map(() => askHttp2(session, { authorization: basic('ann:pä:ss') })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('lets a user in no more whose password was changed', async () => {
    const { edge, routes, app } = await start();
    expect(await exchange(edge.port, as('ann:pä:ss'))).toContain('200 OK');
    const other = await hashPassword('other');
    edge.apply(routes(app.port).map(each => ({ ...each, auth: { users: { ann: other } } })));
    expect(await exchange(edge.port, as('ann:pä:ss'))).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('serves the instances that there are when the password was checked', async () => {
    const { edge, routes } = await start();
    const next = await startRawApp(socket => socket.write(ok));
    const answer = exchange(edge.port, as('ann:pä:ss'));
    edge.apply(routes(next.port));
    expect(await answer).toContain('200 OK');
    expect(next.received.length).toBe(1);
  });
});

describe('checks of passwords', () => {
  const rule = () => ({ users: new Map([['ann', hash]]), allowed: undefined });
  const check = (signIn: SignIn, login: string, client = 'a') =>
    signIn.check(rule(), { rawHeaders: ['Authorization', basic(login)], client });

  it('are remembered when they were right', async () => {
    const signIn = new SignIn();
    expect(check(signIn, 'ann:pä:ss')).toBeInstanceOf(Promise);
    expect(await check(signIn, 'ann:pä:ss')).toBe('in');
    expect(check(signIn, 'ann:pä:ss')).toBe('in');
    expect(check(signIn, 'ann:other')).toBeInstanceOf(Promise);
  });

  it('are few for each visitor, and the right one costs nothing', async () => {
    const signIn = new SignIn(async password => password === 'right');
    for (let i = 0; i < 3; i++)
      await Promise.all(Array.from({ length: 40 }, () => check(signIn, 'ann:right')));
    const tries = await Promise.all(Array.from({ length: 25 }, (_, i) => check(signIn, `ann:${i}`)));
    expect(tries.filter(verdict => verdict === 'unknown').length).toBe(20);
    expect(tries.filter(verdict => verdict === 'too-many').length).toBe(5);
    expect(await check(signIn, 'ann:25', 'another')).toBe('unknown');
    signIn.everySecond();
    expect(await check(signIn, 'ann:26')).toBe('unknown');
    expect(await check(signIn, 'ann:27')).toBe('too-many');
  });

  it('go one at a time, and do not queue without end', async () => {
    let [now, most] = [0, 0];
    const signIn = new SignIn(async () => {
      most = Math.max(most, ++now);
      await new Promise(resolve => setImmediate(resolve));
      now--;
      return false;
    });
    const tries = Array.from({ length: 70 }, (_, i) => check(signIn, `ann:${i}`, `visitor ${i}`));
    const verdicts = await Promise.all(tries);
    expect(verdicts.filter(verdict => verdict === 'busy').length).toBe(6);
    expect(most).toBe(1);
  });
});

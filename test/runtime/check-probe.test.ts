import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { CheckProbe } from '../../src/domain/health-check.ts';
import { type Probed, runProbe } from '../../src/runtime/check-probe.ts';
import { systemClock } from '../../src/system/clock.ts';

const signal = new AbortController().signal;
let server: Server | undefined;
afterEach(() => void server?.close());

const listen = async (answer: RequestListener): Promise<number> => {
  server = createServer(answer);
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const ask = async (probe: CheckProbe, target: Partial<Probed>, timeout = 2000) =>
  await runProbe(
    {
      engine: { exec: async () => 0 },
      clock: systemClock,
      id: 'web.1',
      address: '127.0.0.1',
      port: 1,
      launcher: [],
      since: 0,
      ...target,
    },
    probe,
    { timeout, signal },
  );
const http = { kind: 'http', path: '/up', scheme: 'http', headers: [] } as const;

it('passes with 200 to 399, asked by the name of the app and with headers of its own', async () => {
  let seen: NodeJS.Dict<string | string[]> = {};
  const port = await listen((request, response) => {
    seen = request.headers;
    response.writeHead(302).end();
  });
  const probe = { ...http, headers: [['X-Token', 'abc']] as const };
  expect(await ask(probe, { port, host: 'blog.example.org', secure: true })).toBeUndefined();
  expect(seen).toMatchObject({
    host: 'blog.example.org',
    'x-token': 'abc',
    'x-forwarded-proto': 'https',
    'user-agent': 'wherry-check',
  });
});

it('says what the last answer was', async () => {
  const port = await listen((_, response) => response.writeHead(503).end('\nno database\nat line 1'));
  expect(await ask(http, { port })).toBe('its health check /up answers 503: "no database"');
});

it('looks for text in the answer', async () => {
  const port = await listen((_, response) => response.end('status: fine'));
  expect(await ask({ ...http, content: 'fine' }, { port })).toBeUndefined();
  expect(await ask({ ...http, content: 'great' }, { port })).toBe(
    'its health check /up answers 200 without "great": "status: fine"',
  );
});

it('does not wait for an answer without end, nor read all of one', async () => {
  const port = await listen((request, response) => {
    if (request.url === '/never') return;
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  expect(await ask({ ...http, path: '/never' }, { port }, 50)).toBe(
    'its health check /never takes longer than 0.05 s',
  );
  expect(await ask({ ...http, content: 'y' }, { port })).toContain('answers 200 without "y"');
});

it('tells an answer that is none from nobody who answers', async () => {
  expect(await ask(http, { port: 1 })).toBe('its health check /up does not answer');
  expect(await ask({ kind: 'listening', port: 1 }, {})).toBe('nothing listens on port 1');
  const port = await listen(() => {});
  expect(await ask({ kind: 'listening' }, { port })).toBeUndefined();
});

it('runs a command inside, behind the launcher of the image', async () => {
  const asked: (readonly string[])[] = [];
  const engine = {
    async exec(_: string, { argv, onOutput }: Parameters<Probed['engine']['exec']>[1]) {
      asked.push(argv);
      onOutput(Buffer.from('broken\n'), 'stdout');
      return 3;
    },
  };
  const probe = { kind: 'command', command: ['bin/check'] } as const;
  expect(await ask(probe, { engine, launcher: ['/launch'] })).toBe(
    'its check "bin/check" ends with status 3: "broken"',
  );
  expect(asked).toEqual([['/launch', 'bin/check']]);
});

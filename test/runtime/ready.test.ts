import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { explainListeners, parseListeners, waitReady } from '../../src/runtime/ready.ts';
import { systemClock as clock } from '../../src/system/clock.ts';

const never = new AbortController().signal;

it('is ready as soon as the port takes connections', async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await waitReady({ host: '127.0.0.1', port, timeout: 1000, signal: never, clock });
  server.close();
});

it('says what it found when the time is over', async () => {
  await expect(waitReady({ host: '127.0.0.1', port: 1, timeout: 50, signal: never, clock })).rejects.toThrow(
    'nothing listens on port 1',
  );
});

it('finds listening sockets in /proc/net/tcp', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue',
    '   0: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000',
    '   1: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000',
    '   2: 0100007F:9999 0100007F:1388 01 00000000:00000000 00:00000000',
  ].join('\n');
  expect(parseListeners(table)).toEqual(['*:3000', '127.0.0.1:5000']);
});

it('explains an app that listens elsewhere', () => {
  expect(explainListeners(['*:3000'], 5000)).toContain('listens on port 3000, not on PORT (5000)');
  expect(explainListeners(['127.0.0.1:5000'], 5000)).toContain('bind 0.0.0.0');
  expect(explainListeners([], 5000)).toContain('listens on no port');
});

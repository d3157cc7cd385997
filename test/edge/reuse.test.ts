import { describe, expect, it } from 'vitest';
import { demo, eventually, exchange, get, ok, startRawApp, startTestEdge } from './harness.ts';

/** Each test's app answers the first request of its first connection in a way that leaves the connection unfit. */
describe('a connection to an app is not used again', () => {
  const twice = async (answer: string) => {
    const app = await startRawApp((socket, _text, connection) =>
      socket.write(connection === 0 ? answer : ok),
    );
    const { port } = await startTestEdge(demo(app.port));
    const first = await exchange(port, get('/1'));
    const second = await exchange(port, get('/2'));
    await eventually(() => app.sockets[0]?.destroyed === true);
    return { first, second, app };
  };

  it.each([
    [
      'more bytes than its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\npoison',
    ],
    [
      'bytes after its last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\npoison',
    ],
    ['a body after 204', 'HTTP/1.1 204 No Content\r\n\r\npoison'],
    ['a body after 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison'],
    [
      'both lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['Connection: close', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ])('after an answer with %s (A6.5d)', async (_name, answer) => {
    const { first, second, app } = await twice(answer);
    expect(first + second).not.toContain('poison');
    expect(second).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok$/);
    expect(app.received[0]).not.toContain('/2');
  });

  it('when it speaks before it is asked (A6.5d)', async () => {
    const app = await startRawApp((socket, text, connection) => {
      socket.write(ok);
      if (connection === 0 && text.includes('/1')) setTimeout(() => socket.write(ok.replace('ok', 'no')), 30);
    });
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get('/1'));
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(await exchange(port, get('/2'))).toMatch(/ok$/);
    expect(app.sockets.length).toBe(2);
  });
});

import { request } from 'node:http';
import { join } from 'node:path';

export type Called = { readonly status: number; readonly body: unknown };

/**
 * A command over the socket of a daemon on this host: `config/set` with its arguments as JSON, without the start of a client.
 * @throws when the daemon is away, or goes before it has answered
 */
export function callApi(data: string, command: string, args: object = {}): Promise<Called> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath: join(data, 'control.sock'),
      path: `/v1/${command}`,
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(60_000),
    });
    outgoing.once('error', reject).once('response', incoming => {
      let text = '';
      incoming.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      incoming
        .once('error', reject)
        .once('end', () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text || 'null') }));
    });
    outgoing.end(JSON.stringify(args));
  });
}

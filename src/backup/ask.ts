import { request } from 'node:http';

/** Milliseconds for the head of an answer. */
const patience = 10_000;

type Ask = {
  readonly host: string;
  /** An address of this host, or the path of a socket. */
  readonly at: { readonly address: string; readonly port: number } | { readonly socket: string };
  readonly path?: string;
  /** Sent as JSON by POST. */
  readonly body?: object;
  readonly timeout?: number;
};

/** The status and text of one answer; undefined when none comes. */
export function ask({ host, at, path = '/', body, timeout = patience }: Ask): Promise<Answered | undefined> {
  return new Promise(resolve => {
    const place = 'socket' in at ? { socketPath: at.socket } : { host: at.address, port: at.port };
    const outgoing = request(
      {
        ...place,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        agent: false,
        timeout,
      },
      incoming => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => void (parts.length < 64 && parts.push(part)));
        const end = () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') });
        incoming.once('end', end).once('error', end);
      },
    );
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(undefined));
    outgoing.once('close', () => resolve(undefined));
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export type Answered = { readonly status: number; readonly text: string };

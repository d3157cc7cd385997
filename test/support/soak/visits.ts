import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { WebSocket } from 'ws';
import { sleep, until } from '../until.ts';

export type Visited = { readonly port: number; readonly host: string; readonly random: () => number };

/** Milliseconds that anything of an app may take: the time-out of a wake, and a boot of a machine that is busy. */
const patience = 60_000;
/** Milliseconds between two signs of life of something open. */
const longestSilence = 10_000;

/** One visitor's visit. @throws what went wrong */
export type Visit = (visited: Visited, answering: () => void) => Promise<void>;

/** By name; `answering` is called once the app itself is at work for the visitor. */
export const visits = {
  plain: visited => expectOk(visited, { path: '/whoami' }),
  slow: visited => expectOk(visited, { path: `/slow?ms=${Math.floor(visited.random() * 1500)}` }),
  upload,
  stream,
  socket,
} satisfies Readonly<Record<string, Visit>>;

async function expectOk(visited: Visited, options: RequestOptions): Promise<void> {
  const answer = await open(visited, options);
  const text = await textOf(answer);
  if (answer.statusCode !== 200) throw refused(answer, text);
}

async function upload(visited: Visited): Promise<void> {
  const body = randomBytes(1 + Math.floor(visited.random() * 300_000));
  const headers = { expect: '100-continue', 'content-length': String(body.length) };
  const answer = await open(visited, { path: '/upload', method: 'POST', headers }, body);
  const text = await textOf(answer);
  const hash = createHash('sha256').update(body).digest('hex');
  if (answer.statusCode !== 200 || !text.includes(hash)) throw refused(answer, text);
}

/** Counts with the app for a while: each number once, in order. */
async function stream(visited: Visited, answering: () => void): Promise<void> {
  const answer = await open(visited, { path: '/events' });
  if (answer.statusCode !== 200) throw refused(answer, await textOf(answer));
  const length = 5 + Math.floor(visited.random() * 40);
  let text = '';
  answer.setEncoding('utf8').on('data', piece => {
    text += piece;
  });
  const broken = new Promise<never>((_, reject) => {
    answer.once('error', reject).once('end', () => reject(new Error('the stream ended')));
  });
  answering();
  try {
    for (let count = 1; count <= length; count += 1) {
      const wanted = `data: ${count}\n\n`;
      await Promise.race([
        broken,
        until(`event ${count}`, () => text.includes(wanted), { timeout: longestSilence, every: 20 }),
      ]);
    }
    const numbers = [...text.matchAll(/data: (\d+)/g)].map(([, number]) => Number(number));
    if (numbers.some((number, at) => number !== at + 1)) throw new Error(`the stream counted ${numbers}`);
  } finally {
    broken.catch(() => {});
    answer.destroy();
  }
}

/** Says things for a while, and hears each again. */
async function socket({ port, host, random }: Visited, answering: () => void): Promise<void> {
  const web = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host }, handshakeTimeout: patience });
  const broken = new Promise<never>((_, reject) => {
    web
      .once('error', reject)
      .once('close', code => reject(new Error(`the WebSocket was closed with ${code}`)));
  });
  broken.catch(() => {});
  try {
    await Promise.race([broken, new Promise(resolve => web.once('open', resolve))]);
    answering();
    const length = 1 + Math.floor(random() * 12);
    for (let count = 1; count <= length; count += 1) {
      let heard = '';
      web.once('message', data => {
        heard = String(data);
      });
      web.send(`word ${count}`);
      await Promise.race([
        broken,
        until(`word ${count} again`, () => heard === `word ${count}`, { timeout: longestSilence, every: 10 }),
      ]);
      await sleep(random() * 400);
    }
    // With a word: a half of a tunnel that is cut without one is waited for.
    web.close();
    await broken.catch(() => {});
  } finally {
    web.terminate();
  }
}

/** Sends a request, the body once the app asks for it. */
function open({ port, host }: Visited, options: RequestOptions, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent: false,
      signal: AbortSignal.timeout(patience),
      ...options,
      headers: { host, ...options.headers },
    });
    outgoing.once('response', resolve).once('error', reject);
    if (body) outgoing.once('continue', () => outgoing.end(body)).flushHeaders();
    else outgoing.end();
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** With the words of the page alone, which say why. */
function refused({ statusCode }: IncomingMessage, page: string): Error {
  const words = page.replaceAll(/<style>.*?<\/style>|<[^>]+>/gs, ' ').replaceAll(/\s+/g, ' ');
  return new Error(`${statusCode} ${words.slice(0, 300)}`);
}

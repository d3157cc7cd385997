// The edges' own counts, from the sockets that they serve them on. Edges are not trusted: what is there must be a socket,
// and answer in time and in bounds.
import { lstat, readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { mergeMetrics } from './merge-metrics.ts';

const timeout = 5000;
const maxText = 32 << 20;
const maxSockets = 64;

/** Over all edges that run. @throws unavailable when none answers */
export async function readEdgeMetrics(dir: string): Promise<string> {
  const names = await readdir(dir).catch(() => []);
  const sockets = names.filter(name => /^metrics-[0-9]+\.sock$/.test(name)).slice(0, maxSockets);
  const said = await Promise.allSettled(sockets.map(name => read(join(dir, name))));
  const texts = said.flatMap(each => (each.status === 'fulfilled' ? each.value : []));
  if (texts.length > 0) return mergeMetrics(texts);
  throw new WherryError(
    'unavailable',
    'The edge does not tell its metrics at the moment. Try again in a moment.',
    { cause: said.find(each => each.status === 'rejected')?.reason },
  );
}

async function read(socket: string): Promise<string> {
  if (!(await lstat(socket)).isSocket()) throw new Error('no socket');
  return await get(socket);
}

function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics', signal: AbortSignal.timeout(timeout) }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', piece => {
        text += piece;
        if (text.length > maxText) asked.destroy(new Error('too much'));
      });
      answer.once('error', reject);
      answer.once('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error('no metrics'))));
    });
    asked.once('error', reject).end();
  });
}

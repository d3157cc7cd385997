// The edge's own counts, from the socket that it serves them on. The edge is not trusted: what is there must be a socket,
// and answer in time and in bounds.
import { lstat } from 'node:fs/promises';
import { request } from 'node:http';
import { WherryError } from '../domain/errors.ts';
import { edgeFiles } from './folder.ts';

const timeout = 5000;
const maxText = 32 << 20;

/** @throws unavailable when the edge does not answer */
export async function readEdgeMetrics(dir: string): Promise<string> {
  const { metrics } = edgeFiles(dir);
  try {
    if (!(await lstat(metrics)).isSocket()) throw new Error('no socket');
    return await get(metrics);
  } catch (error) {
    throw new WherryError(
      'unavailable',
      'The edge does not tell its metrics at the moment. Try again in a moment.',
      {
        cause: error,
      },
    );
  }
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

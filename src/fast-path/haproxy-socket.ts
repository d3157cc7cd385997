import { connect } from 'node:net';
import { WherryError } from '../domain/errors.ts';

/** What HAProxy says of a server of a lane. */
export type ServerStat = {
  readonly backend: string;
  readonly server: string;
  /** Requests in flight. */
  readonly current: number;
  /** Requests that began, since it was started. */
  readonly total: number;
};

const timeout = 3000;
/** The line of commands that HAProxy takes at once has an end. */
const batch = 30;
/** How it confirms a change of address. */
const confirmation = /^(?:IP changed|port changed|no need to change|nothing changed)/;

/** Commands that change something, in their order. @throws unavailable when one was refused, or nobody listens */
export async function command(socket: string, commands: readonly string[]): Promise<void> {
  for (let at = 0; at < commands.length; at += batch) {
    const answer = await ask(socket, commands.slice(at, at + batch).join(';'));
    const refused = answer.split('\n').find(line => line.trim() !== '' && !confirmation.test(line));
    if (refused) throw new WherryError('unavailable', `HAProxy refused a change: ${refused}`);
  }
}

/** The servers of these backends. */
export async function serverStats(socket: string, backends: readonly string[]): Promise<ServerStat[]> {
  const stats: ServerStat[] = [];
  for (let at = 0; at < backends.length; at += batch) {
    const asked = backends.slice(at, at + batch).map(name => `show stat ${name} 4 -1`);
    stats.push(...readStats(await ask(socket, asked.join(';'))));
  }
  return stats;
}

/** Whether one is there and answers. */
export function isThere(socket: string): Promise<boolean> {
  return ask(socket, 'show version').then(
    () => true,
    () => false,
  );
}

function readStats(text: string): ServerStat[] {
  const lines = text.split('\n').filter(line => line !== '');
  const names = lines[0]?.replace(/^# /, '').split(',') ?? [];
  const columns = ['pxname', 'svname', 'scur', 'stot'].map(name => names.indexOf(name));
  if (columns.includes(-1)) throw new WherryError('unavailable', 'HAProxy does not tell its counts.');
  return lines
    .filter(line => !line.startsWith('#'))
    .map(line => {
      const fields = line.split(',');
      const [backend = '', server = '', current = '', total = ''] = columns.map(at => fields[at] ?? '');
      return { backend, server, current: Number(current), total: Number(total) };
    });
}

function ask(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(path);
    const fail = (error: Error) => {
      socket.destroy();
      reject(new WherryError('unavailable', `HAProxy does not answer: ${error.message}`, { cause: error }));
    };
    socket.setTimeout(timeout, () => fail(new Error('nothing came within 3 s')));
    socket.once('error', fail);
    socket.on('data', piece => pieces.push(piece));
    socket.once('end', () => {
      socket.destroy();
      resolve(Buffer.concat(pieces).toString('utf8'));
    });
    socket.write(`${text}\n`);
  });
}

import { connect } from 'node:net';
import type { Recorded, RecordingApp } from './recording-app.ts';

/** Bytes to send at once, and those to send when something came. */
export type Script = {
  readonly send: string;
  readonly steps?: readonly { readonly after: RegExp; readonly send: string }[];
  /** Reset the connection once the app has begun to read. */
  readonly abort?: true;
};

export type Seen = {
  /** All that the client got. */
  readonly text: string;
  readonly closed: boolean;
  readonly app: readonly Recorded[];
};

/** Silence after an answer, and without one, after which nothing more is awaited. */
const quiet = 400;
const patience = 3000;

/** Says the script to a server, and what became of it. */
export async function attempt(port: number, script: Script, app: RecordingApp): Promise<Seen> {
  app.take();
  const { text, closed } = await converse(port, script);
  const recorded = app.take();
  // Only a reset is known to the app later than to the client.
  for (let i = 0; script.abort && recorded.length === 0 && i < 40; i++) {
    await new Promise(resolve => setTimeout(resolve, 25));
    recorded.push(...app.take());
  }
  return { text, closed, app: recorded };
}

function converse(
  port: number,
  { send, steps = [], abort }: Script,
): Promise<{ text: string; closed: boolean }> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const left = [...steps];
    let text = '';
    let timer: NodeJS.Timeout;
    const done = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const wait = (time: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (abort) socket.resetAndDestroy();
        done(false);
      }, time);
    };
    wait(abort ? quiet : patience);
    socket.on('error', () => {});
    socket.on('close', () => done(true));
    socket.on('connect', () => socket.write(send, 'latin1'));
    socket.on('data', piece => {
      text += piece.toString('latin1');
      wait(quiet);
      const next = left[0];
      if (!next?.after.test(text)) return;
      left.shift();
      wait(patience);
      socket.write(next.send, 'latin1');
    });
  });
}

/** The statuses of the answers, what the app was asked, and its bodies: `200+400: GET /, POST / "abc"`. */
export function outcome(seen: Seen): string {
  const statuses = seen.text.match(/HTTP\/1\.[01] \d{3}/g)?.map(line => line.slice(9)) ?? [];
  const answer = statuses.length > 0 ? statuses.join('+') : seen.closed ? 'closed' : 'waits';
  // How much of a refused request the app was told is a matter of chance.
  const told = statuses.length > 0 ? seen.app.filter(({ whole }) => whole) : seen.app;
  const asked = told.map(
    ({ line, body, whole }) =>
      (line.length > 60 ? `${line.slice(0, 60)}...` : line) +
      (body === '' ? '' : ` ${JSON.stringify(body)}`) +
      (whole ? '' : ' cut'),
  );
  return asked.length === 0 ? answer : `${answer}: ${asked.join(', ')}`;
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { type ChildProcess, spawn } from '../../src/system/exec.ts';
import { startApi } from '../api/support.ts';
import { until } from '../support/until.ts';

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

let started: Awaited<ReturnType<typeof startApi>>;
let open: ChildProcess[] = [];
beforeEach(async () => {
  started = await startApi();
  await started.bench.deployed('blog');
  open = [];
});
afterEach(async () => {
  for (const child of open) child.kill('SIGKILL');
  await started.close();
});

/** A program of the app that tells its sizes and keys, and ends with 7 at a q. */
function drawingProgram(): void {
  started.bench.runtime.run = async (_desired, { streams, signal }) => {
    const { stdin, stdout, terminal } = streams;
    const tell = () => stdout.write(`<${terminal?.term} ${terminal?.size.rows}x${terminal?.size.columns}>`);
    tell();
    terminal?.onResize(tell);
    for await (const bytes of stdin) {
      if (signal?.aborted || String(bytes) === 'q') break;
      stdout.write(`<key ${Buffer.from(bytes as Buffer).toString('hex')}>`);
    }
    stdout.write('<a\nb>');
    stdout.write(Buffer.from([0x3c, 0xff, 0x3e]));
    return 7;
  };
}

/** The client on a terminal of 30 rows; the shell around it tells how it ended and whether the terminal is as it was. */
function onTerminal(...words: string[]) {
  const client = [process.execPath, '--import', 'tsx', here('src/main.ts'), '--data', started.folder];
  const script = 'trap : INT; "$@"; echo "status $?"; stty -a | grep -o -- "-\\?icanon\\|-\\?opost"';
  const child = spawn(
    'perl',
    [here('src/engine/runc/terminal.pl'), '30', '90', 'sh', '-c', script, 'sh', ...client, ...words],
    {
      env: { PATH: process.env['PATH'], TERM: 'vt100', HOME: started.folder },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    },
  );
  open.push(child);
  let bytes = Buffer.alloc(0);
  child.stdout?.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
  });
  const sizes = child.stdio[3] as NodeJS.WritableStream;
  const seen = (what: string) => until(what, () => bytes.toString('latin1').includes(what));
  return {
    seen,
    type: (keys: string) => void child.stdin?.write(keys),
    resize: (rows: number, columns: number) => void sizes.write(`${rows} ${columns}\n`),
    client: () => childOf(childOf(Number(child.pid))),
    async restored(status: number) {
      await seen(`status ${status}`);
      await seen('\nopost');
      await seen('\nicanon');
    },
  };
}

const childOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);

describe('the local terminal', () => {
  it('gives its kind, size and keys to the program, control-C among them, and is restored', async () => {
    drawingProgram();
    const { seen, type, resize, restored } = onTerminal('run', 'blog', 'sh');
    await seen('<vt100 30x90>');
    type('\x03');
    await seen('<key 03>');
    resize(50, 120);
    await seen('<vt100 50x120>');
    type('é');
    await seen('<key c3a9>');
    type('q');
    await seen('<a\nb>');
    await seen('<\xff>');
    await restored(7);
  });

  it('is restored when the client is told to stop', async () => {
    drawingProgram();
    const { seen, client, restored } = onTerminal('run', 'blog', 'sh');
    await seen('<vt100 30x90>');
    process.kill(client(), 'SIGTERM');
    await restored(143);
  });

  it('is restored when the daemon goes away', async () => {
    drawingProgram();
    const { seen, restored } = onTerminal('run', 'blog', 'sh');
    await seen('<vt100 30x90>');
    await started.api.close();
    await seen('went away');
    await restored(75);
  });

  it('stays as it is for other commands, whose control-C ends them', async () => {
    started.bench.runtime.logs = async function* (_app, query) {
      yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'first' };
      await new Promise<void>(resolve => query.signal?.addEventListener('abort', () => resolve()));
    };
    const { seen, type, restored } = onTerminal('logs', 'blog', '-t');
    await seen('first');
    type('\x03');
    await restored(130);
  });

  it('shows that long work goes on, and takes that back before the next line', async () => {
    let finish = () => {};
    started.bench.runtime.stop = async () => {
      await new Promise<void>(resolve => {
        finish = resolve;
      });
    };
    const { seen, restored } = onTerminal('ps:stop', 'blog');
    await seen('\x1b[1m-----> ');
    await seen('\r\x1b[K| ');
    finish();
    await restored(0);
  });
});

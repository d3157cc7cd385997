import { constants } from 'node:os';
import { WherryError } from '../domain/errors.ts';
import { spawn } from '../system/exec.ts';
import type { Remote } from './remote.ts';
import type { Showing } from './showing.ts';

/** Bytes of a command line that the SSH server takes, with room for what goes around it in its packet. */
const longestLine = 32 * 1024;
/** What ssh ends with when its connection does. */
const brokenOff = 255;
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** What ssh is started with. The words arrive as they are: the server splits them by the same rules of quoting. */
export function sshArguments(
  remote: Remote,
  words: readonly string[],
  options: { readonly terminal: boolean; readonly asks: boolean },
): readonly string[] {
  const line = words.map(quote).join(' ');
  if (Buffer.byteLength(line) > longestLine)
    throw new WherryError(
      'usage',
      `The command is longer than ${longestLine} bytes, more than SSH carries. Give long values by standard input, as config:import takes them.`,
    );
  return [
    options.terminal ? '-t' : '-T',
    ...(options.asks ? [] : ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=3']),
    ...(remote.port === undefined ? [] : ['-p', String(remote.port)]),
    ...['-l', remote.user, '--', remote.host, line],
  ];
}

/** Runs the command there by the person's own ssh, with their keys, agent, known hosts and jumps. Resolves to the exit status. */
export function runSsh(args: readonly string[], showing?: Showing): Promise<number> {
  return new Promise((resolve, reject) => {
    const out = showing ? 'pipe' : 'inherit';
    const child = spawn('ssh', args, { stdio: ['inherit', out, out], env: process.env });
    if (showing) {
      child.stdout?.pipe(showing.stdout, { end: false });
      child.stderr?.pipe(showing.stderr, { end: false });
      for (const stream of [process.stdout, process.stderr])
        stream.once('error', () => child.kill('SIGPIPE'));
    }
    let received: (typeof passedOn)[number] | undefined;
    const passOn = (signal: (typeof passedOn)[number]) => {
      received ??= signal;
      child.kill(signal);
    };
    const listeners = passedOn.map(signal => [signal, () => passOn(signal)] as const);
    // Control-C reaches ssh by the terminal as well; this process must outlive it to tell how it ended.
    for (const [signal, listener] of listeners) process.on(signal, listener);
    const settle = () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    };
    child.once('error', cause => {
      settle();
      reject(
        new WherryError('unavailable', 'The program ssh could not be started. Install the OpenSSH client.', {
          cause,
        }),
      );
    });
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      settle();
      // Told to stop, ssh ends with its own 255.
      const by = code === brokenOff ? received : signal;
      resolve(by ? 128 + constants.signals[by] : (code ?? brokenOff));
    });
  });
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

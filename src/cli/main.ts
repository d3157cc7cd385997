// Kept small and free of the rest of Wherry, so that a command costs little more than the start of Node.
import { commandName, readArguments } from './arguments.ts';
import { findDestination } from './destination.ts';
import { execRemote, type Outcome } from './exec.ts';
import { lookOf } from './look.ts';
import type { Showing } from './showing.ts';
import { createTty, type Tty } from './tty.ts';
import { terminalCommands, wantsTerminal } from './wants-terminal.ts';

/** The exit status of a program whose reader went away (128 + SIGPIPE), as a shell would give it. */
const brokenPipe = 141;
/** Of `unavailable` in the table of errors; not imported, to start quickly. */
const unavailable = 75;

/** `wherry [--data DIR] <command...>`: has the daemon run it, here or on the host that is meant. Resolves to the exit status. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const given = readArguments(argv, process.env);
  const { data, words } = given;
  // A shell asks at its start: it must not wait for a host.
  const script = commandName(words) === 'completion' ? await offline(words, data) : undefined;
  if (script) {
    process.stdout.write(script);
    return 0;
  }
  const terminal = wantsTerminal(words, process);
  const destination = await findDestination(given, { folder: process.cwd(), env: process.env });
  const sent = destination.app === undefined ? words : ['--here', destination.app, ...words];
  const showing = await dressed(words);
  if (destination.kind === 'ssh') {
    const { runSsh, sshArguments } = await import('./ssh.ts');
    const args = sshArguments(destination.remote, sent, { terminal, asks: !process.env['WHERRY_BATCH'] });
    const code = await runSsh(args, showing);
    await showing?.end();
    return code;
  }
  const left = leaving();
  const tty = terminal ? await openTty() : undefined;
  const outcome = await execRemote(
    { socket: destination.path, words: sent, signal: left.signal, tty },
    { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, ...showing },
  );
  await showing?.end();
  const status = left.status();
  if (status !== undefined) return status;
  return conclude(outcome, { data, words });
}

async function openTty(): Promise<Tty> {
  const { execOnStdin } = await import('../system/exec.ts');
  return createTty(process, { term: process.env['TERM'], stty: args => execOnStdin('stty', args) });
}

/** Colour, and a sign of life of long work, where somebody sees it; what a program of the app prints stays as it is. */
async function dressed(words: readonly string[]): Promise<Showing | undefined> {
  const look = lookOf(process.env, process);
  if (terminalCommands.includes(commandName(words) ?? '') || !(look.color || look.ticker)) return undefined;
  return (await import('./showing.ts')).createShowing(process, look);
}

async function conclude(
  outcome: Outcome,
  { data, words }: { data: string; words: readonly string[] },
): Promise<number> {
  switch (outcome.kind) {
    case 'exit':
      return outcome.code;
    case 'lost':
      complain('The daemon went away before the command ended. See its log; what was done is kept.');
      return unavailable;
    case 'unreachable': {
      if (commandName(words) === 'doctor' && outcome.code !== 'EACCES') return examineAlone(words, data);
      const help = await offline(words, data);
      if (help) {
        process.stdout.write(help);
        return 0;
      }
      complain(why(outcome.code, data));
      return unavailable;
    }
  }
}

async function examineAlone(words: readonly string[], data: string): Promise<number> {
  const [{ doctorOffline }, { thisHost: host }] = await Promise.all([
    import('./doctor.ts'),
    import('../doctor/this-host.ts'),
  ]);
  const { text, code } = await doctorOffline(words, { data, env: process.env, host, now: new Date() });
  process.stdout.write(text);
  return code;
}

/** Help, version and completion need no daemon. */
async function offline(words: readonly string[], data: string): Promise<string | undefined> {
  const [first] = words.filter(word => word === '-h' || word === '-v' || !/^--(?!help$|version$)/.test(word));
  const asks =
    first === undefined ||
    /^(help|version|completion|-h|-v|--help|--version)$/.test(first) ||
    first.endsWith(':help');
  return asks ? (await import('./offline.ts')).answerOffline(words, data) : undefined;
}

function why(code: string, data: string): string {
  if (code === 'EACCES' || code === 'EPERM')
    return `The daemon's socket in ${data} is for its owner only. Run this as the user that runs it (sudo wherry ...).`;
  return `Wherry is not running on ${data}. Start it with "wherry daemon --data ${data}", or name another directory with --data.`;
}

function complain(text: string): void {
  process.stderr.write(` !     ${text}\n`);
}

/** Ends the command when the person or the reader of our output leaves. */
function leaving(): { signal: AbortSignal; status(): number | undefined } {
  const controller = new AbortController();
  let status: number | undefined;
  const leave = (code: number) => {
    status ??= code;
    controller.abort();
  };
  process.once('SIGINT', () => leave(130));
  process.once('SIGTERM', () => leave(143));
  process.once('SIGHUP', () => leave(129));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => leave(brokenPipe));
  }
  return { signal: controller.signal, status: () => status };
}

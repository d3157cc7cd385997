import { about, type Finding } from './finding.ts';
import type { Host, Place } from './host.ts';

/** An address that Wherry listens on, by the flag that names it. */
export type Listener = Place & { readonly flag: string };

const { ok, warn, fail } = about('ports');
/** How our SSH server begins. */
const ours = 'SSH-2.0-Wherry';

/** Whether each answers as it should, or could be listened on. */
export async function checkPorts(
  host: Host,
  { listeners, isRunning }: { readonly listeners: readonly Listener[]; readonly isRunning: boolean },
): Promise<Finding[]> {
  return Promise.all(
    listeners
      .filter(({ port }) => port !== 0)
      .map(async listener => {
        const greeting = await host.greeting(reachable(listener));
        return isRunning ? whileRunning(listener, greeting) : beforeStart(host, listener, greeting);
      }),
  );
}

function whileRunning(listener: Listener, greeting: string | undefined): Finding {
  if (greeting === undefined)
    return fail(`${shown(listener)} does not answer`, 'See the log of the daemon, and start it again.');
  if (listener.flag === 'ssh' && !greeting.startsWith(ours)) return foreignSsh(listener, greeting);
  return ok(`${shown(listener)} answers`);
}

async function beforeStart(host: Host, listener: Listener, greeting: string | undefined): Promise<Finding> {
  if (greeting?.startsWith('SSH-') && !greeting.startsWith(ours)) return foreignSsh(listener, greeting);
  if (greeting !== undefined)
    return warn(
      `${shown(listener)} is taken`,
      'Fine if it is the edge, which serves on while the daemon is away. Else stop that program, or name another address.',
    );
  const refusal = await host.refusal(listener);
  if (refusal === undefined) return ok(`${shown(listener)} is free`);
  return fail(
    `${shown(listener)} cannot be listened on (${refusal})`,
    refusal === 'EACCES' ? 'Run the daemon as root.' : `Name another address with --${listener.flag}.`,
  );
}

function foreignSsh(listener: Listener, greeting: string): Finding {
  const name = /^SSH-[\d.]+-([\w.]{1,40})/.exec(greeting)?.[1] ?? 'another server';
  return fail(
    `${shown(listener)} is taken by ${name}`,
    `Give Wherry another with --${listener.flag} 0.0.0.0:2222, or move the host's own sshd away.`,
  );
}

function shown({ flag, host, port }: Listener): string {
  return `Port ${port} (--${flag} ${host.includes(':') ? `[${host}]` : host}:${port})`;
}

function reachable({ host, port }: Place): Place {
  return { port, host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host };
}

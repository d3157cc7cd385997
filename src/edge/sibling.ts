import type { Server } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import { spawn } from '../system/exec.ts';

/** Tells the other edge which ports of apps its further descriptors listen at: `8080 8443`. */
const portsVariable = 'WHERRY_EDGE_PORTS';

export type Listeners = {
  /** For HTTP, then for HTTPS if that is spoken. */
  readonly own: readonly Server[];
  /** Of apps. */
  readonly ports: ReadonlyMap<number, Server>;
};

/**
 * Starts another edge with the listening sockets of this one as its descriptors from 3 on, in the same folder and as the same user.
 * The sockets are the kernel's, not a process's: what waits to be accepted is accepted by whoever still has them.
 * @throws unavailable
 */
export function startSibling(argv: readonly string[], { own, ports }: Listeners): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', ...[...own, ...ports.values()].map(descriptorOf)],
    env: { ...process.env, [portsVariable]: [...ports.keys()].join(' ') },
  });
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', error =>
      reject(new WherryError('unavailable', `${program} does not start`, { cause: error })),
    );
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

/** The descriptors that an edge was started with for ports of apps. @param first the number of the first one */
export function inheritedPorts(
  first: number,
  env: NodeJS.ProcessEnv = process.env,
): ReadonlyMap<number, number> {
  const ports = (env[portsVariable] ?? '').split(' ').filter(port => port !== '');
  return new Map(ports.map((port, at) => [Number(port), first + at]));
}

/** Node tells no descriptor of a listener, yet takes one to listen on. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { _handle?: { readonly fd?: number } | null };
  if (handle?.fd === undefined || handle.fd < 0)
    throw new WherryError('unavailable', 'it does not listen any more');
  return handle.fd;
}

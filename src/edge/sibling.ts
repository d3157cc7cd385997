import type { Server } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import { spawn } from '../system/exec.ts';

/**
 * Starts another edge with the listening sockets of this one as its descriptors 3 and 4, in the same folder and as the same user.
 * The sockets are the kernel's, not a process's: what waits to be accepted is accepted by whoever still has them.
 * @throws unavailable
 */
export function startSibling(argv: readonly string[], listening: readonly Server[]): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', ...listening.map(descriptorOf)],
    env: { ...process.env },
  });
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', error =>
      reject(new WherryError('unavailable', `${program} does not start`, { cause: error })),
    );
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

/** Node tells no descriptor of a listener, yet takes one to listen on. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { _handle?: { readonly fd?: number } | null };
  if (handle?.fd === undefined || handle.fd < 0)
    throw new WherryError('unavailable', 'it does not listen any more');
  return handle.fd;
}

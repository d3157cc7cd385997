import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { openNeighbour } from '../../support/neighbour.ts';
import { until } from '../../support/until.ts';

export type Outside = Awaited<ReturnType<typeof openOutside>>;

/**
 * A machine beyond this host, in a network namespace: it says hello on two ports of each of its addresses, which this host has a
 * route to. `near` is this host's own address on the way there.
 */
export async function openOutside(options: { near: string; addresses: readonly string[] }) {
  const neighbour = await openNeighbour(options);
  const [enter, ...inside] = neighbour.enter;
  const servers: ReturnType<typeof spawn>[] = [];
  const close = async () => {
    for (const server of servers) server.kill('SIGKILL');
    await neighbour.close();
  };
  try {
    for (const each of ports) {
      const hello = ['busybox', 'nc', '-ll', '-p', String(each), '-e', 'echo', 'hello'];
      servers.push(spawn(enter, [...inside, ...hello], { stdio: 'ignore' }));
    }
    // Whoever finds an address out of reach then knows that it is not for want of an answer.
    for (const address of options.addresses)
      for (const each of ports) await until(`an answer of ${address}`, () => hears(address, each));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

const ports = [8080, 8081];

function hears(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 1000 });
    socket.once('data', data => resolve(data.toString().startsWith('hello')));
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer')));
    socket.once('end', () => socket.destroy());
  });
}

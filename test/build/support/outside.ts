import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { must } from '../../support/run.ts';
import { until } from '../../support/until.ts';

export type Outside = Awaited<ReturnType<typeof openOutside>>;

/**
 * A machine beyond this host, in a network namespace: it says hello on two ports of each of its addresses, which this host has a
 * route to. `near` is this host's own address on the way there.
 */
export async function openOutside(options: { near: string; addresses: readonly string[] }) {
  const { near, addresses } = options;
  const id = randomBytes(3).toString('hex');
  const [name, port] = [`outside-${id}`, `out-${id}`];
  const batch = async (lines: readonly string[]) =>
    await must('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  const servers: ReturnType<typeof spawn>[] = [];
  const close = async () => {
    for (const server of servers) server.kill('SIGKILL');
    // The links and routes go with it.
    await must('ip', ['netns', 'delete', name]);
  };
  await must('ip', ['netns', 'add', name]);
  try {
    await batch([
      `link add ${port} type veth peer name eth0 netns ${name}`,
      `addr add ${near}/32 dev ${port}`,
      `link set ${port} up`,
      ...addresses.map(address => `route add ${address}/32 dev ${port} src ${near}`),
    ]);
    await must('ip', ['-netns', name, '-batch', '-'], {
      input: [
        'link set lo up',
        ...addresses.map(address => `addr add ${address}/32 dev eth0`),
        'link set eth0 up',
        `route add ${near}/32 dev eth0`,
        '',
      ].join('\n'),
    });
    for (const each of ports) {
      const inside = [`--net=/run/netns/${name}`, 'busybox'];
      const hello = ['nc', '-ll', '-p', String(each), '-e', 'echo', 'hello'];
      servers.push(spawn(enter, [...inside, ...hello], { stdio: 'ignore' }));
    }
    // Whoever finds an address out of reach then knows that it is not for want of an answer.
    for (const address of addresses)
      for (const each of ports) await until(`an answer of ${address}`, () => hears(address, each));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

const enter = 'nsenter';
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

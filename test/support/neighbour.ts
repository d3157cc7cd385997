import { randomBytes } from 'node:crypto';
import { must } from './run.ts';

/**
 * A machine next to this host, in a network namespace with addresses of its own: builds reach it as they reach others, which
 * they never do with the host. `near` is this host's own address on the way there.
 */
export async function openNeighbour(options: { near: string; addresses: readonly string[] }) {
  const { near, addresses } = options;
  const id = randomBytes(3).toString('hex');
  const [name, port] = [`outside-${id}`, `out-${id}`];
  const batch = async (lines: readonly string[]) =>
    await must('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  // The links and routes go with it.
  const close = async () => void (await must('ip', ['netns', 'delete', name]));
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
  } catch (error) {
    await close();
    throw error;
  }
  return {
    /** What a program's words go behind to run there. */
    enter: ['nsenter', `--net=/run/netns/${name}`] as const,
    close,
  };
}

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { openNeighbour } from '../../support/neighbour.ts';
import { until } from '../../support/until.ts';

export type Outside = Awaited<ReturnType<typeof openOutside>>;

/**
 * A machine beyond this host, in a network namespace: it says hello on some ports of each of its addresses, and answers what is sent
 * to port 53 as a name server would, by UDP. This host has a route to it. `near` is this host's own address on the way there.
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
    servers.push(spawn(enter, [...inside, process.execPath, '-e', nameServer], { stdio: 'ignore' }));
    // Whoever finds an address out of reach then knows that it is not for want of an answer.
    for (const address of options.addresses) {
      for (const each of ports) await until(`an answer of ${address}`, () => hears(address, each));
      await until(`a word of ${address}`, () => hearsWord(address));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

const ports = [53, 80, 8080, 8081];
/** A socket for each address: an answer must come from where it was asked. */
const nameServer = `
  const { networkInterfaces } = require('node:os');
  for (const { address, family } of networkInterfaces().eth0) {
    if (family !== 'IPv4') continue;
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (_, from) => socket.send('hello\\n', from.port, from.address));
    socket.bind(53, address);
  }`;

function hearsWord(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const end = (finish: () => void) => {
      clearTimeout(timer);
      socket.close();
      finish();
    };
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), 1000);
    socket.once('error', error => end(() => reject(error)));
    socket.once('message', text => end(() => resolve(text.toString().startsWith('hello'))));
    socket.send('anybody there?', 53, address);
  });
}

function hears(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 1000 });
    socket.once('data', data => resolve(data.toString().startsWith('hello')));
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer')));
    socket.once('end', () => socket.destroy());
  });
}

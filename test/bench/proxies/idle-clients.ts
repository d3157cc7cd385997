// Opens connections, asks once on each, and keeps them: `idle-clients.ts PORT COUNT HOST`. It says one line when all were answered,
// and ends with its standard input.
import { connect } from 'node:net';

const [port, count, host] = process.argv.slice(2);
const atOnce = 200;

async function open(): Promise<void> {
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once('data', piece => resolve(piece.toString('latin1')));
    socket.once('error', reject).once('close', () => reject(new Error('A connection was closed.')));
  });
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
}

for (let left = Number(count); left > 0; left -= atOnce)
  await Promise.all(Array.from({ length: Math.min(left, atOnce) }, open));
process.stdout.write('open\n');
process.stdin.resume().once('end', () => process.exit(0));

import { once } from 'node:events';
import { spawn } from '../../../src/system/exec.ts';
import { sleep } from '../../support/until.ts';
import { host } from './contenders.ts';
import { pss, type Server } from './server.ts';

const clients = 4;

/** Megabytes of a server with so many idle keep-alive connections. Several clients, so that none needs so many files. */
export async function memoryOfIdle(server: Server, count: number, core: number): Promise<number> {
  const script = new URL('idle-clients.ts', import.meta.url).pathname;
  const argv = [...process.execArgv, script, String(server.port), String(count / clients), host];
  const holders = Array.from({ length: clients }, () =>
    spawn('taskset', ['-c', String(core), process.execPath, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    await Promise.all(
      holders.map(async holder => {
        const gone = once(holder, 'exit').then(() => {
          throw new Error('A client could not keep its connections.');
        });
        gone.catch(() => {});
        await Promise.race([once(holder.stdout ?? holder, 'data'), gone]);
      }),
    );
    // What opening them left behind is collected.
    await sleep(5000);
    return pss(server.pid);
  } finally {
    for (const holder of holders) holder.kill();
  }
}

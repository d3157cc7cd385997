import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEdgeLink, type EdgeLink } from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';
import { cleanUp } from '../edge/harness.ts';

/** How an edge on a free port of this host's own is started from the sources. */
export function options(dir: string, link: EdgeLink) {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  return {
    ...{ dir, link, log, clock },
    http: { host: '127.0.0.1', port: 0 },
    version: 'one',
    argv: [process.execPath, '--import', import.meta.resolve('tsx'), main, 'edge'],
  };
}

export async function startLink(at?: string): Promise<{ link: EdgeLink; dir: string }> {
  const dir = at ?? join(await mkdtemp(join(tmpdir(), 'edge-link-')), 'edge');
  if (at === undefined) cleanUp(() => rm(join(dir, '..'), { recursive: true, force: true }));
  const link = createEdgeLink({ dir, log, clock, user: null });
  await link.listen();
  cleanUp(() => link.close());
  return { link, dir };
}

export function isGone(pid: number): boolean {
  // One whose parent does not ask for its status stays as a zombie.
  return !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** One connection after another, each for one request. */
export function startFreshConnections(port: number) {
  const failures: string[] = [];
  let sent = 0;
  let over = false;
  const one = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n'),
      );
      let text = '';
      socket.setTimeout(30_000, () => socket.destroy(new Error('no answer')));
      socket.setEncoding('utf8').on('data', piece => {
        text += piece;
      });
      socket.once('error', reject).once('end', () => resolve(text));
    });
  const running = (async () => {
    while (!over) {
      sent++;
      const text = await one().catch(String);
      if (!text.startsWith('HTTP/1.1 200')) failures.push(text.slice(0, 100));
      // Ports that were used rest for a minute: they must not run out.
      await clock.sleep(2);
    }
  })();
  return {
    async end() {
      over = true;
      await running;
      return { sent, failures };
    },
  };
}

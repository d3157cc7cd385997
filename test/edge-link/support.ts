import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
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

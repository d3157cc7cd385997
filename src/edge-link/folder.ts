import { constants, existsSync, openSync, renameSync, statSync } from 'node:fs';
import { chmod, chown, lchown, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from './user.ts';

export function edgeFiles(dir: string) {
  return {
    socket: join(dir, 'control.sock'),
    log: join(dir, 'edge.log'),
    access: join(dir, 'access'),
    pages: join(dir, 'pages'),
  };
}

const maxLog = 8 << 20;

/**
 * Makes the folder that control and the edges share, and the one of the access logs in it. The edges may add files (its snapshot) but, because of the sticky bit,
 * can neither replace nor remove what is root's: the socket, the log.
 */
export async function prepareFolder(dir: string, user: Ids | undefined): Promise<void> {
  for (const folder of [dir, edgeFiles(dir).access]) {
    await mkdir(folder, { recursive: true });
    if (user) await chown(folder, 0, user.gid);
    await chmod(folder, user ? 0o1770 : 0o700);
  }
  const { pages } = edgeFiles(dir);
  await mkdir(pages, { recursive: true });
  if (user) await chown(pages, 0, user.gid);
  await chmod(pages, user ? 0o750 : 0o700);
  const snapshot = join(dir, 'snapshot.json');
  if (user && existsSync(snapshot)) await lchown(snapshot, user.uid, user.gid);
  await removeRemains(dir);
}

/** What edges that were killed could not remove: their unfinished snapshots, and their sockets. */
export async function removeRemains(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const pid = /^(?:snapshot\.json\.([0-9]+)\.tmp|metrics-([0-9]+)\.sock)$/.exec(name)?.slice(1).join('');
    if (pid && !existsSync(`/proc/${pid}`)) await rm(join(dir, name), { force: true });
  }
}

/** The end of the edge's log, at most 4 KiB. */
export async function readLogEnd(dir: string): Promise<string> {
  const file = await open(edgeFiles(dir).log, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, Math.max(0, size - 4096));
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Opens the edge's log to append, after putting a large one aside; never through a link. */
export function openLog(dir: string): number {
  const { log } = edgeFiles(dir);
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxLog) renameSync(log, `${log}.1`);
  return openSync(
    log,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
}

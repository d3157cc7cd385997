import { exec } from '../system/exec.ts';

/** Whom the edge process runs as once it listens. */
export type Ids = { readonly uid: number; readonly gid: number };

const name = 'wherry-edge';

/** The edge's own system user, made when it is missing; undefined when we are not root and the edge stays who we are. */
export async function ensureEdgeUser(): Promise<Ids | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await lookUp();
  if (found) return found;
  await exec('useradd', [
    ...['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', '--comment', 'Wherry edge', name],
  ]).catch(async error => {
    // Another data directory's daemon may have made it at the same moment.
    if (!(await lookUp())) throw error;
  });
  return lookUp();
}

async function lookUp(): Promise<Ids | undefined> {
  try {
    const [uid, gid] = await Promise.all([id('-u'), id('-g')]);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

async function id(flag: '-u' | '-g'): Promise<number> {
  return Number((await exec('id', [flag, name], { timeout: 10_000 })).stdout);
}

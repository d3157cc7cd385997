import { readFile } from 'node:fs/promises';
import { WherryError } from '../domain/errors.ts';
import { because, exec } from './exec.ts';

/** An unprivileged user of the host: who owns the repositories and runs git, or who runs what plugins bring. */
export type SystemUser = { readonly uid: number; readonly gid: number };

const passwd = '/etc/passwd';

/** The user by name, made when it is missing. @throws failed without root, or when it cannot be made */
export async function ensureSystemUser(name: string): Promise<SystemUser> {
  if (process.getuid?.() !== 0) {
    throw new WherryError('failed', `Wherry needs root, to do its work as user ${name}. Start it as root.`);
  }
  const found = await findUser(name);
  if (found) return found;
  try {
    // useradd looks before it locks: several at once would each add the name. A lock on /etc itself keeps them apart.
    await exec('flock', [
      ...['-w', '30', '/etc'],
      ...['useradd', '-r', '--no-create-home', '-d', '/nonexistent', '-s', '/usr/sbin/nologin', name],
    ]);
  } catch (error) {
    // Another Wherry on this host may have been quicker.
    const other = await findUser(name);
    if (other) return other;
    throw because(`Making the system user ${name}`, error);
  }
  const made = await findUser(name);
  if (!made)
    throw new WherryError('failed', `System user ${name} was made but is not in ${passwd}. Add it by hand.`);
  return made;
}

async function findUser(name: string): Promise<SystemUser | undefined> {
  const lines = (await readFile(passwd, 'utf8')).split('\n');
  const fields = lines.map(line => line.split(':')).find(([user]) => user === name);
  if (!fields) return undefined;
  const [uid, gid] = [Number(fields[2]), Number(fields[3])];
  if (uid === 0 || !Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new WherryError('failed', `System user ${name} must not be root. Give it an id of its own.`);
  }
  return { uid, gid };
}

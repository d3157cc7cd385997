import { readFile } from 'node:fs/promises';
import { WherryError } from '../domain/errors.ts';

export type Ids = { readonly uid: number; readonly gid: number };

/** Reads `NAME`, `UID` or `UID:GID`; a name's group is its primary one. @throws not-found for an unknown name */
export async function parseUser(text: string): Promise<Ids> {
  const numbers = /^([0-9]{1,9})(?::([0-9]{1,9}))?$/.exec(text);
  if (numbers) return { uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) };
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .map(line => line.split(':'))
    .find(([name]) => name === text);
  if (!fields)
    throw new WherryError('not-found', `User ${text} does not exist on this host. Create it first.`);
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Gives up root for good. @throws failed when the process could get it back, or is asked to stay root */
export function dropPrivileges(ids: Ids): void {
  if (process.getuid?.() === ids.uid && ids.uid !== 0) return;
  if (ids.uid === 0 || ids.gid === 0)
    throw new WherryError('invalid', 'The edge does not run as root. Name another user.');
  process.setgroups?.([]);
  process.setgid?.(ids.gid);
  process.setuid?.(ids.uid);
  if (canRegain())
    throw new WherryError('failed', 'The edge could not give up root. It does not serve like this.');
}

function canRegain(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return process.getuid?.() === 0;
  }
}

import { join } from 'node:path';
import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const { ok, warn, fail } = about('data');
/** For nobody but the daemon's user. */
const secret = ['secret.key', 'wherry.db', 'host-keys', 'control.sock'];

export function checkFolders(host: Host, data: string): Finding[] {
  const folder = host.rights(data);
  if (!folder) return [warn(`${data} does not exist yet`, 'The daemon makes it at its first start.')];
  const open = secret.flatMap(name => {
    const rights = host.rights(join(data, name));
    return rights && (rights.mode & 0o077) !== 0 ? [name] : [];
  });
  const findings = [
    ...((folder.mode & 0o022) === 0 ? [] : [fail(`${data} may be written by others`, `chmod go-w ${data}`)]),
    ...(folder.uid === 0
      ? []
      : [fail(`${data} does not belong to root, whom the daemon runs as`, `chown root ${data}`)]),
    ...open.map(name => fail(`${join(data, name)} is open to others`, `chmod -R go= ${join(data, name)}`)),
  ];
  return findings.length === 0 ? [ok(`${data} is closed to others`)] : findings;
}

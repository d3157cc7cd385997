import type { BackupTarget } from '../domain/backup-target.ts';
import { WherryError } from '../domain/errors.ts';

const noRoom = /no space left on device|disk quota exceeded|QuotaExceeded|XMinioStorageFull/i;

/** Lines of restic's own trouble, each with what it means for a person; the first that fits. */
const meanings: readonly (readonly [RegExp, (place: string) => WherryError])[] = [
  [
    /wrong password or no key found/,
    place =>
      new WherryError(
        'invalid',
        `The backups at ${place} are encrypted under another password. Give theirs.`,
        {
          hint: 'backup:set password < password-file',
        },
      ),
  ],
  [
    noRoom,
    place =>
      new WherryError(
        'unavailable',
        `There is no room left at ${place}. Earlier backups are as they were. Make room, or keep fewer.`,
        { hint: 'backup:set keep=7d' },
      ),
  ],
  [
    /read-only file system/i,
    place =>
      new WherryError(
        'unavailable',
        `${place} is on a file system that may only be read. Choose another place.`,
      ),
  ],
  [
    /access ?denied|Access Key|request signature|Forbidden|no credentials/i,
    place =>
      new WherryError(
        'invalid',
        `The server of ${place} refuses the key. Check access-key and secret-key, and what they may do.`,
        {
          hint: 'backup:set secret-key < secret-file',
        },
      ),
  ],
  [
    /NoSuchBucket|bucket does not exist/i,
    place => new WherryError('not-found', `The bucket of ${place} is not there. Make it first.`),
  ],
  [
    /x509: /,
    place =>
      new WherryError(
        'unavailable',
        `The certificate of ${place} is not trusted. Give its authority by --ca-file of the daemon.`,
      ),
  ],
  [
    /connection refused|no such host|i\/o timeout|network is unreachable|no route to host|connection reset|\bEOF$|returned error, retrying/im,
    place =>
      new WherryError(
        'unavailable',
        `The server of ${place} does not answer. Earlier backups are as they were; this one can be made again when it does.`,
      ),
  ],
  [
    /repository is already locked/i,
    place =>
      new WherryError(
        'conflict',
        `Somebody else tidies the backups at ${place}. Try again when that is done.`,
      ),
  ],
  [
    /no matching ID found|no snapshot found|multiple IDs with prefix/i,
    place => new WherryError('not-found', `There is no such backup at ${place}.`, { hint: 'backup:list' }),
  ],
];

/** Whether what restic said means that nobody has made backups there yet. */
function isNoRepository(said: string): boolean {
  return /unable to open config file|Is there a repository at the following location/.test(said);
}

/** What restic said last, as a sentence for people. @param into the folder that it wrote to, of a restore */
export function faultOf(said: string, target: BackupTarget, into?: string): WherryError {
  if (into !== undefined && noRoom.test(said))
    return new WherryError(
      'unavailable',
      `There is no room left in ${into} for what is restored. Make room, or restore elsewhere.`,
    );
  const found = meanings.find(([pattern]) => pattern.test(said));
  if (found) return found[1](target.text);
  if (isNoRepository(said)) return new WherryError('not-found', `There are no backups at ${target.text}.`);
  const last = said.trim().split('\n').at(-1) ?? '';
  return new WherryError(
    'failed',
    `restic failed at ${target.text}: ${last.slice(0, 300) || 'it said nothing'}`,
  );
}

import { describe, expect, it } from 'vitest';
import { faultOf } from '../../src/backup/fault.ts';
import { parseBackupTarget } from '../../src/domain/backup-target.ts';

const folder = parseBackupTarget('/srv/backup');
const bucket = parseBackupTarget('s3://s3.example.org/backups');

const noKey = `Fatal: unable to open config file: Stat: The AWS Access Key Id you provided does not exist in our records.
Is there a repository at the following location?
s3:https://s3.example.org/backups`;
const noFolder =
  'Fatal: unable to open config file: stat /srv/certificates/config: no such file or directory';

describe('what restic says', () => {
  it.each([
    ['Fatal: wrong password or no key found', folder, 'invalid', /another password/],
    [
      'Save(<data/1>): write /srv: no space left on device',
      folder,
      'unavailable',
      /no room left at \/srv\/backup/,
    ],
    ['Stat(<config/>): Access Denied.', bucket, 'invalid', /refuses the key/],
    [
      'client.BucketExists: dial tcp 127.0.0.1:1: connect: connection refused',
      bucket,
      'unavailable',
      /does not answer/,
    ],
    ['dial tcp: lookup s3.example.org: no such host', bucket, 'unavailable', /does not answer/],
    ['x509: certificate signed by unknown authority', bucket, 'unavailable', /--ca-file/],
    [
      'Fatal: unable to open config file: stat /srv/backup/config: no such file',
      folder,
      'not-found',
      /no backups/,
    ],
    ['Fatal: invalid id "abc": no matching ID found for prefix "abc"', folder, 'not-found', /no such backup/],
    [
      'unable to create lock in backend: repository is already locked by PID 1',
      folder,
      'conflict',
      /Try again/,
    ],
    [noKey, bucket, 'invalid', /refuses the key/],
    [noFolder, folder, 'not-found', /no backups/],
    ['panic: something else', folder, 'failed', /something else/],
    ['', folder, 'failed', /said nothing/],
  ])('%s is a sentence', (said, target, code, sentence) => {
    const fault = faultOf(said, target);
    expect(fault).toMatchObject({ code, message: expect.stringMatching(sentence) });
  });

  it('of a disk that is full while it restores names that disk', () => {
    expect(faultOf('write /data/x: no space left on device', folder, '/data').message).toContain(
      'no room left in /data',
    );
  });
});

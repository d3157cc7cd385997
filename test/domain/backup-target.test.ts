import { describe, expect, it } from 'vitest';
import { parseKeep, parseVolumes } from '../../src/domain/backup-settings.ts';
import { parseBackupTarget } from '../../src/domain/backup-target.ts';

describe('a place for backups', () => {
  it('is a folder, without a slash at its end', () => {
    expect(parseBackupTarget('/srv/backup/')).toMatchObject({ kind: 'folder', path: '/srv/backup' });
  });

  it.each([
    ['s3://backups', 'https://s3.amazonaws.com', 'backups', ''],
    ['s3://backups/a/b/', 'https://s3.amazonaws.com', 'backups', 'a/b'],
    ['s3://s3.example.org/backups/a', 'https://s3.example.org', 'backups', 'a'],
    ['s3+http://127.0.0.1:4568/backups', 'http://127.0.0.1:4568', 'backups', ''],
  ])('%s is a bucket', (text, url, bucket, folder) => {
    expect(parseBackupTarget(text)).toEqual({ kind: 's3', text, url, bucket, folder });
  });

  it.each([
    '',
    '/',
    'backup',
    './backup',
    '/srv/../etc',
    '/srv//backup',
    '/srv/a\nb',
    's3://',
    's3://host:1/',
    's3://host:1/UPPER',
    's3://user@host:1/bucket',
    's3://s3.example.org/bucket/../other',
    's3+http://bucket/folder',
    'sftp:ann@host:/srv',
    'rclone:remote:path',
    '-o',
    's3:https://host/bucket',
  ])('is not %j', text => {
    expect(() => parseBackupTarget(text)).toThrow(/is no place for backups/);
  });
});

describe('what is kept', () => {
  it('is a number of each kind', () => {
    expect(parseKeep('3,7d,4w,6m,1y')).toEqual({ last: 3, daily: 7, weekly: 4, monthly: 6, yearly: 1 });
    expect(parseKeep('all')).toBeUndefined();
  });

  it.each(['', '0', '7d,7d', '-1', '7x', '7d 4w', '99999'])('is not %j', text => {
    expect(() => parseKeep(text)).toThrow(/is no number of backups/);
  });
});

describe('which storage goes with it', () => {
  it('is all, none or some', () => {
    expect([parseVolumes('all'), parseVolumes('none'), parseVolumes('blog,db')]).toEqual([
      'all',
      [],
      ['blog', 'db'],
    ]);
  });

  it.each(['', ',', '../etc', 'a/b', '-x'])('is not %j', text => {
    expect(() => parseVolumes(text)).toThrow(/neither all, none nor names/);
  });
});

import { parseBackupTarget } from './backup-target.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Settings of backups, as `backup:set` names them, and what they are unless set. */
export const backupSettings = {
  to: {
    usual: '',
    help: 'where they go: an absolute path, s3://BUCKET/FOLDER of Amazon, or s3://HOST:PORT/BUCKET/FOLDER (s3+http:// without TLS)',
    parse: parseBackupTarget,
  },
  volumes: {
    usual: 'all',
    help: 'which storage goes with them: all, none, or names by commas',
    parse: parseVolumes,
  },
  keep: {
    usual: '3,7d,4w,6m',
    help: 'which are kept: the last so many, and of so many days, weeks, months or years the last one each, as 3,7d,4w,6m or 10; or all',
    parse: parseKeep,
  },
  key: {
    usual: 'inside',
    help: 'whether the key that config is sealed with goes with them: inside, encrypted as all is, or apart, when you keep secret.key yourself',
    parse: parseKey,
  },
  'access-key': { usual: '', help: 'the name of the key to the S3 server', parse: parseWord },
  region: { usual: '', help: 'the region of the S3 server, where it wants one', parse: parseWord },
} as const;

export type BackupSetting = keyof typeof backupSettings;

export const backupSettingNames = Object.keys(backupSettings) as readonly BackupSetting[];

/** What is never shown, and comes on standard input. */
export const backupSecrets = ['password', 'secret-key'] as const;
export type BackupSecret = (typeof backupSecrets)[number];

/** The global property that a setting is stored under. */
export function backupKey(name: BackupSetting | 'schedule' | 'id' | 'last' | 'last-good'): string {
  return `backup-${name}`;
}

export type VolumeChoice = 'all' | readonly string[];

/** @throws invalid */
export function parseVolumes(text: string): VolumeChoice {
  if (text === 'all') return 'all';
  if (text === 'none') return [];
  const names = text.split(',');
  if (names.every(name => /^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name))) return names;
  throw new WherryError(
    'invalid',
    `volumes=${quoteForPeople(text)} is neither all, none nor names of storage by commas. See "storage:info".`,
  );
}

/** How many to keep; undefined for all. */
export type Keep = Readonly<Partial<Record<'last' | 'daily' | 'weekly' | 'monthly' | 'yearly', number>>>;

const units = { '': 'last', d: 'daily', w: 'weekly', m: 'monthly', y: 'yearly' } as const;

/** @throws invalid */
export function parseKeep(text: string): Keep | undefined {
  if (text === 'all') return undefined;
  const found: Partial<Record<(typeof units)[keyof typeof units], number>> = {};
  for (const part of text.split(',')) {
    const [, count, unit = ''] = /^([1-9]\d{0,3})([dwmy]?)$/.exec(part) ?? [];
    const name = units[unit as keyof typeof units];
    if (count === undefined || found[name] !== undefined)
      throw new WherryError(
        'invalid',
        `keep=${quoteForPeople(text)} is no number of backups. Give for example 10, 7d,4w,6m or all.`,
      );
    found[name] = Number(count);
  }
  return found;
}

function parseKey(text: string): 'inside' | 'apart' {
  if (text === 'inside' || text === 'apart') return text;
  throw new WherryError('invalid', `key=${quoteForPeople(text)} is neither inside nor apart.`);
}

function parseWord(text: string): string {
  if (/^[\w./+=-]{1,128}$/.test(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not valid here: letters, digits and . / + = _ - alone.`,
  );
}

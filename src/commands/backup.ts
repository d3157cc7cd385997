import { readSchedule, writeSchedule } from '../backup/timer.ts';
import {
  backupKey,
  backupSecrets,
  backupSettingNames,
  backupSettings,
  parseVolumes,
  type VolumeChoice,
} from '../domain/backup-settings.ts';
import { type BackupTarget, parseBackupTarget } from '../domain/backup-target.ts';
import { formatBytes } from '../domain/bytes.ts';
import { scheduleFault } from '../domain/cron-task.ts';
import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asList, asText, flag, many, optional, shown, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { columns, detail, header, heading, keyValues } from './lines.ts';
import { readPassword } from './password.ts';
import { settingWords } from './set-property.ts';
import { readSettingWords, setProperties } from './setting-words.ts';

const place: ArgKind<BackupTarget> = {
  ...text('place'),
  parse: value => parseBackupTarget(asText(value, 'place')),
};
const volumes: ArgKind<VolumeChoice> = {
  ...text('names'),
  parse: value => parseVolumes(asText(value, 'names')),
};
const id: ArgKind<string> = {
  ...text('backup'),
  parse(value) {
    const given = asText(value, 'backup');
    if (/^[0-9a-f]{4,64}$/.test(given)) return given;
    throw new WherryError('invalid', `${shown(value)} is not a backup, as backup:list names them.`);
  },
};
const to = flag(optional(place), { help: 'a folder, or s3://..., instead of what is set', word: 'place' });

const make = defineCommand({
  name: 'backup',
  summary: 'Back up the whole platform, encrypted, while it runs: only what changed is sent',
  description:
    'The database, repositories, certificates, keys, plugins, the images of all releases that are kept, and storage. A backup that is cut off leaves earlier ones as they are. `wherry restore` brings one back on a new host.',
  examples: ['backup', 'backup --to /srv/backup --volumes none'],
  args: {},
  flags: {
    to,
    volumes: flag(optional(volumes), { help: 'storage: all, none, or names by commas', word: 'names' }),
  },
  access: 'owner',
  effect: 'write',
  async run(context, input) {
    const { progress, signal } = context;
    const made = await context.backups.make(input, { progress, signal });
    for (const path of made.missed.slice(0, 10)) progress.warn(`${path} went away, or could not be read`);
    const { newFiles, changedFiles, withoutVolumes, hostFolders, ...rest } = made;
    return {
      ...rest,
      new_files: newFiles,
      changed_files: changedFiles,
      without_volumes: withoutVolumes,
      without_folders: hostFolders,
    };
  },
  text: made => [
    header(`Backup ${made.id} is at ${made.to}`),
    detail(`${made.apps} apps, ${made.files} files, ${formatBytes(made.size)} in ${made.seconds} s`),
    detail(`Sent ${formatBytes(made.added)}: ${made.new_files} files are new, ${made.changed_files} changed`),
    ...(made.volumes.length > 0 ? [detail(`Storage: ${made.volumes.join(', ')}`)] : []),
    ...(made.without_volumes.length > 0
      ? [detail(`Storage left out: ${made.without_volumes.join(', ')}`)]
      : []),
    ...(made.without_folders.length > 0
      ? [detail(`Folders of the host that apps mount are not in it: ${made.without_folders.join(', ')}`)]
      : []),
    ...(made.forgotten > 0
      ? [detail(`${made.forgotten} earlier backups were forgotten, as backup:set keep says`)]
      : []),
  ],
});

const set = defineCommand({
  name: 'backup:set',
  summary: 'Set where backups go, what they hold and how long they are kept',
  description: [
    'A setting without value is unset.',
    ...backupSettingNames.map(name => `${name}: ${backupSettings[name].help}.`),
    'password and secret-key come on standard input, one in a command, and are written without =: the password that backups are encrypted under, and the secret of the key to the S3 server. Keep the password elsewhere too: without it nothing can be restored.',
  ].join(' '),
  examples: [
    'backup:set to=/srv/backup keep=7d,4w,6m',
    'backup:set password < password-file',
    'backup:set to=s3://s3.example.org/backups/wherry access-key=AKEXAMPLE secret-key < secret-file',
  ],
  args: { settings: { ...many(text('setting=value')), secret: 'assigned' } },
  access: 'owner',
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const secret = backupSecrets.find(name => input.settings.includes(name));
    const plain = input.settings.filter(word => word !== secret);
    refuseSecretWords(plain);
    const dropped = backupSecrets.filter(name => plain.includes(`${name}=`));
    const given = readSettingWords(
      plain.filter(word => !dropped.some(name => word === `${name}=`)),
      backupSettingNames,
      name => backupSettings[name].parse,
    );
    if (secret) {
      const value = await readPassword(context, `backup:set ${secret} < file`);
      requireLong(secret, value);
      context.store.credentials.putBackup(secret, value);
    }
    for (const name of dropped) context.store.credentials.putBackup(name, undefined);
    setProperties(context, { owner: undefined, given, keyOf: backupKey, event: 'backup' });
    if (secret) context.progress.header(`Setting ${secret}`);
    return { ...Object.fromEntries(given), ...(secret ? { [secret]: 'set' } : {}) };
  },
  text: () => [],
});

const list = defineCommand({
  name: 'backup:list',
  summary: 'List the backups that can be restored',
  examples: ['backup:list', 'backup:list --to /srv/backup --format json'],
  args: {},
  flags: { to },
  access: 'owner',
  effect: 'read',
  async run(context, input) {
    const found = await context.backups.list(input.to, context.signal);
    const own = context.store.properties.get('global', backupKey('id'));
    return found.map(each => ({
      id: each.shortId,
      made_at: each.at.toISOString(),
      host: each.host,
      own: each.source === own,
    }));
  },
  text: found => {
    const [head = '', ...lines] = columns([
      ['backup', 'made', 'host', 'of'],
      ...found.map(each => [
        each.id,
        each.made_at.slice(0, 19),
        each.host,
        each.own ? 'this Wherry' : 'another one',
      ]),
    ]);
    return [header('Backups'), heading(head), ...lines];
  },
});

const drill = defineCommand({
  name: 'backup:verify',
  summary:
    'Hold a drill: restore a backup beside what runs, start its apps there, compare, and delete it again',
  description:
    'The newest backup, or the one named. Every file is read again; config, releases, images and repositories are compared with what the backup was made of, and what web processes answer with what the real ones do. The apps start one after the other in a network of their own that leads nowhere, without folders of the host, cron tasks, certificates or plugins: one that needs other servers to start does not come up, which is told. The exit status is 1 when anything differs.',
  examples: ['backup:verify', 'backup:verify 1a2b3c4d'],
  args: { backup: optional(id) },
  flags: { to },
  access: 'owner',
  effect: 'write',
  async run({ backups, progress, signal }, input) {
    const { madeAt, ...held } = await backups.verify(
      { to: input.to, id: input.backup },
      { progress, signal },
    );
    return { ...held, made_at: madeAt };
  },
  text: ({ apps, repositories, differences, ...done }) => [
    header(
      `Backup ${done.id} of ${done.made_at.slice(0, 19)} ${differences.length === 0 ? 'is good' : 'is not as it should be'}`,
    ),
    detail(
      `${apps.length} apps, ${apps.filter(({ started }) => started).length} started, ${repositories} repositories, in ${done.seconds} s`,
    ),
    ...differences.map(detail),
  ],
  exit: ({ differences }) => (differences.length === 0 ? 0 : 1),
});

const report = defineCommand({
  name: 'backup:report',
  summary: 'Show where backups go, what is set, and how the last one went',
  examples: ['backup:report', 'backup:report --format json'],
  args: {},
  access: 'owner',
  effect: 'read',
  run(context) {
    const last = context.backups.last();
    return {
      ...Object.fromEntries(
        backupSettingNames.map(name => [name, valueIn(context, name) ?? backupSettings[name].usual] as const),
      ),
      ...Object.fromEntries(
        backupSecrets.map(
          name => [name, context.store.credentials.backup(name) === undefined ? '' : 'set'] as const,
        ),
      ),
      schedule: readSchedule(context.store)?.schedule ?? '',
      last: last?.at ?? '',
      'last-result': last === undefined ? '' : (last.error ?? `backup ${last.id} at ${last.to}`),
      'last-good': valueIn(context, 'last-good') ?? '',
      running: context.backups.running() ?? '',
    };
  },
  text: values => [
    header('Backups'),
    ...keyValues(Object.entries(values)).map(line => detail(line.trimEnd())),
  ],
});

const when: ArgKind<string> = {
  word: 'schedule|off',
  required: true,
  rest: true,
  schema: { type: 'string' },
  parse(value) {
    const schedule = asList(value)
      .map(word => asText(word, 'schedule'))
      .join(' ');
    const fault = schedule === 'off' ? undefined : scheduleFault(schedule);
    if (fault === undefined) return schedule;
    throw new WherryError('invalid', `${shown(schedule)} ${fault}. Or give off.`);
  },
};

const schedule = defineCommand({
  name: 'backup:schedule',
  summary: 'Make backups at times by itself, or no longer',
  description:
    'Five fields or a name, as "15 3 * * *" or @daily, in UTC. One that was missed while the daemon was away is made up for. One that fails is told by events and doctor.',
  examples: ['backup:schedule "15 3 * * *"', 'backup:schedule @daily', 'backup:schedule off'],
  args: { schedule: when },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const wanted = input.schedule === 'off' ? undefined : input.schedule;
    writeSchedule(
      context.store,
      wanted === undefined ? undefined : { schedule: wanted, since: context.clock.now() },
    );
    context.progress.header(settingWords('schedule', wanted));
    return { schedule: wanted ?? null };
  },
  text: () => [],
});

export const backupCommands = [make, set, schedule, list, drill, report];

function valueIn({ store }: Context, name: Parameters<typeof backupKey>[0]): string | undefined {
  return store.properties.get('global', backupKey(name));
}

/** @throws usage */
function refuseSecretWords(words: readonly string[]): void {
  const found = backupSecrets.find(name =>
    words.some(word => word.startsWith(`${name}=`) && word !== `${name}=`),
  );
  if (found)
    throw new WherryError(
      'usage',
      `${found} is not taken as a word: every user of a host sees the words of a command. Send it on standard input.`,
      { hint: `backup:set ${found} < file` },
    );
  if (backupSecrets.some(name => words.includes(name)))
    throw new WherryError('usage', 'Standard input has one secret. Set the other one by a second command.');
}

/** @throws invalid for a password that can be guessed */
function requireLong(name: string, value: string): void {
  if (name === 'password' && value.length < 12)
    throw new WherryError(
      'invalid',
      'The password is short: whoever gets at the backups could guess it. Give 12 characters or more.',
    );
}

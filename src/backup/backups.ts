import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  backupKey,
  backupSettings,
  type Keep,
  parseKeep,
  parseVolumes,
  type VolumeChoice,
} from '../domain/backup-settings.ts';
import { type BackupTarget, parseBackupTarget } from '../domain/backup-target.ts';
import { sentence, WherryError } from '../domain/errors.ts';
import type { Progress } from '../domain/push.ts';
import type { Clock } from '../system/clock.ts';
import { type Copied, copyFiles } from './copy.ts';
import { createRestic, type Restic } from './restic.ts';
import { listSnapshots, type Snapshot, tagOf } from './snapshots.ts';
import { type Staged, type StageOptions, stage, stageOf } from './stage.ts';
import { type Verified, type VerifyOptions, verify } from './verify.ts';

export type Backups = ReturnType<typeof createBackups>;

export type BackupsOptions = StageOptions & {
  readonly clock: Clock;
  readonly caFile: string | undefined;
  readonly verifying: Omit<VerifyOptions, 'paths' | 'store' | 'ticks'>;
};

export type BackupDoing = { readonly progress: Progress; readonly signal: AbortSignal };

export type BackupResult = Copied & {
  readonly to: string;
  readonly apps: number;
  readonly volumes: readonly string[];
  readonly withoutVolumes: readonly string[];
  readonly hostFolders: readonly string[];
  readonly seconds: number;
  /** How many were forgotten since they need not be kept. */
  readonly forgotten: number;
};

/** How the last one went, as it is kept. */
export type LastBackup = {
  readonly at: string;
  readonly to: string;
  readonly id?: string;
  readonly error?: string;
};

/** Makes and lists backups of all of this Wherry, while it runs. */
export function createBackups(options: BackupsOptions) {
  const { store, paths, layers, clock } = options;
  const get = (name: Parameters<typeof backupKey>[0]) => store.properties.get('global', backupKey(name));
  let running: string | undefined;

  const listFile = join(paths.backup, 'files');
  const sweep = async (): Promise<void> => {
    for (const path of [listFile, stageOf(paths)]) await rm(path, { recursive: true, force: true });
  };

  const target = (given?: BackupTarget): BackupTarget => {
    const set = get('to');
    if (given) return given;
    if (set !== undefined) return parseBackupTarget(set);
    throw new WherryError('invalid', 'It is not set where backups go.', {
      hint: 'backup:set to=/srv/backup',
    });
  };

  /** @throws invalid when something that it needs is not set */
  const open = (given?: BackupTarget): Restic => {
    const to = target(given);
    requireOutside(to, paths.data);
    const password = store.credentials.backup('password');
    if (password === undefined)
      throw new WherryError(
        'invalid',
        'Backups are encrypted under a password that you keep elsewhere: without it nothing can be restored. None is set.',
        { hint: 'backup:set password < password-file' },
      );
    const accessKey = get('access-key');
    const secretKey = store.credentials.backup('secret-key');
    if (to.kind === 's3' && (accessKey === undefined || secretKey === undefined))
      throw new WherryError(
        'invalid',
        `${to.text} needs a key: its name as access-key, its secret on standard input.`,
        {
          hint: 'backup:set access-key=NAME secret-key < secret-file',
        },
      );
    const repository = { target: to, password, accessKey, secretKey, region: get('region') };
    return createRestic(repository, { cache: join(paths.backup, 'cache'), caFile: options.caFile });
  };

  const source = (): string => {
    const known = get('id') ?? randomBytes(4).toString('hex');
    store.properties.set('global', backupKey('id'), known);
    return known;
  };

  const alone = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    if (running) throw new WherryError('conflict', `${running} runs already. Wait for it to end.`);
    running = what;
    try {
      return await work();
    } finally {
      running = undefined;
    }
  };

  const note = (last: LastBackup, aborted = false): void => {
    store.properties.set('global', backupKey('last'), JSON.stringify(last));
    if (last.error === undefined) store.properties.set('global', backupKey('last-good'), last.at);
    else if (!aborted)
      store.events.add({
        at: clock.now(),
        kind: 'backup-failed',
        message: `The backup failed: ${last.error}`,
      });
  };

  const make = async (
    restic: Restic,
    volumes: VolumeChoice,
    { progress, signal }: BackupDoing,
  ): Promise<BackupResult> => {
    const began = clock.ticks();
    progress.step(`Backing up to ${restic.target.text}`);
    await openOrInit(restic, signal);
    const id = source();
    const before = (await listSnapshots(restic, signal)).filter(each => each.source === id);
    const letGo = layers.hold();
    try {
      const hasKey = (get('key') ?? backupSettings.key.usual) === 'inside';
      const staged = await stage(options, { volumes, hasKey, now: clock.now() });
      const copied = await copyStaged(restic, staged, { id, parent: before.at(-1)?.id, progress, signal });
      const forgotten = await forget(restic, {
        id,
        keep: parseKeep(get('keep') ?? backupSettings.keep.usual),
        signal,
      });
      const { manifest } = staged;
      return {
        ...copied,
        to: restic.target.text,
        apps: manifest.apps.length,
        volumes: manifest.volumes.map(({ name }) => name),
        withoutVolumes: manifest.withoutVolumes,
        hostFolders: [...new Set(manifest.hostFolders.map(({ path }) => path))],
        seconds: Math.round((clock.ticks() - began) / 100) / 10,
        forgotten,
      };
    } finally {
      letGo();
      await sweep();
    }
  };

  /** A repository that was packed in the middle is read once more. */
  const copyStaged = async (
    restic: Restic,
    { files }: Staged,
    { id, parent, progress, signal }: BackupDoing & { id: string; parent: string | undefined },
  ): Promise<Copied> => {
    await writeFile(listFile, `${files.join('\n')}\n`, { mode: 0o600 });
    for (let tries = 1; ; tries++) {
      const copied = await copyFiles(restic, {
        listFile,
        source: id,
        parent,
        progress,
        signal,
        ticks: clock.ticks,
      });
      const bad = copied.missed.filter(path => !mayGo(path, paths.storage));
      if (bad.length === 0)
        return { ...copied, missed: copied.missed.filter(path => path.startsWith(paths.storage)) };
      await restic.run(['forget', copied.id], { signal });
      if (tries === 3)
        throw new WherryError(
          'failed',
          `${bad[0]} could not be read, so this backup is none. Earlier ones are as they were.`,
        );
    }
  };

  return {
    /** Which of its work is going on, if any. */
    running: (): string | undefined => running,

    /** @throws WherryError in a sentence; what was there before is as it was */
    make: (
      given: { to?: BackupTarget | undefined; volumes?: VolumeChoice | undefined },
      doing: BackupDoing,
    ): Promise<BackupResult> =>
      alone('A backup', async () => {
        const to = target(given.to).text;
        const at = clock.now().toISOString();
        try {
          const volumes = given.volumes ?? parseVolumes(get('volumes') ?? backupSettings.volumes.usual);
          const result = await make(open(given.to), volumes, doing);
          note({ at, to, id: result.id });
          return result;
        } catch (error) {
          note({ at, to, error: sentence(error) }, doing.signal.aborted);
          throw error;
        }
      }),

    /** Restores one beside what runs, starts its apps, compares and deletes it again. @throws WherryError when that cannot be done */
    verify: (
      given: { to?: BackupTarget | undefined; id?: string | undefined },
      doing: BackupDoing,
    ): Promise<Verified> =>
      alone('A drill', async () => {
        const restic = open(given.to);
        await restic.run(['unlock'], { signal: doing.signal, timeout: 300_000 });
        const verifying = { ...options.verifying, paths, store, ticks: clock.ticks };
        return await verify(restic, verifying, { at: given.id, source: source(), ...doing });
      }),

    /** Oldest first. */
    list: async (given: BackupTarget | undefined, signal: AbortSignal): Promise<readonly Snapshot[]> =>
      await listSnapshots(open(given), signal),

    last: (): LastBackup | undefined => JSON.parse(get('last') ?? 'null') ?? undefined,

    /** What a daemon left that ended in the middle. */
    sweep,
  };
}

/** @throws invalid */
function requireOutside(to: BackupTarget, data: string): void {
  if (to.kind === 'folder' && `${to.path}/`.startsWith(`${data}/`))
    throw new WherryError(
      'invalid',
      `${to.path} is in the data directory, and would be lost with it. Choose another place.`,
    );
}

/** Files that come and go while they are used. */
function mayGo(path: string, storage: string): boolean {
  return path.startsWith(storage) || /\/(incoming-|tmp_|offer-)|\.lock$/.test(path);
}

async function openOrInit(restic: Restic, signal: AbortSignal): Promise<void> {
  try {
    await restic.run(['unlock'], { signal, timeout: 300_000 });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WherryError) || error.code !== 'not-found') throw error;
    await requireEmpty(restic.target);
    await restic.run(['init'], { signal, timeout: 300_000 });
  }
}

/** Other people's files are no place for it. @throws invalid */
async function requireEmpty(to: BackupTarget): Promise<void> {
  if (to.kind !== 'folder') return;
  await mkdir(to.path, { recursive: true, mode: 0o700 }).catch(error => {
    throw new WherryError('invalid', `${to.path} cannot be made: ${(error as Error).message}`, {
      cause: error,
    });
  });
  if ((await readdir(to.path)).length > 0)
    throw new WherryError(
      'invalid',
      `${to.path} holds other files. Give an empty folder, or one with backups.`,
    );
}

async function forget(
  restic: Restic,
  { id, keep, signal }: { id: string; keep: Keep | undefined; signal: AbortSignal },
): Promise<number> {
  if (keep === undefined) return 0;
  const kept = Object.entries(keep).flatMap(([unit, count]) => [`--keep-${unit}`, String(count)]);
  const said = await restic.run(
    ['forget', '--tag', tagOf(id), '--group-by', '', ...kept, '--prune', '--max-unused', '10%'],
    { signal },
  );
  const [group] = JSON.parse(said.split('\n')[0] || '[]') as { remove: unknown[] | null }[];
  return group?.remove?.length ?? 0;
}

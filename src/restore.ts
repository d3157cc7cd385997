import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { readFlags } from './argv.ts';
import { unpackedIn } from './backup/place.ts';
import { createRestic } from './backup/restic.ts';
import { type Restored, restore } from './backup/restore.ts';
import { parseBackupTarget } from './domain/backup-target.ts';
import { WherryError } from './domain/errors.ts';
import { readPid } from './pid-file.ts';
import { readSettings } from './settings.ts';
import { loadKey } from './store/key-file.ts';
import { createSeal } from './store/seal.ts';
import { openStore } from './store/store.ts';
import { execOnStdin } from './system/exec.ts';
import { mountsBelow } from './system/mounts.ts';
import { createPaths, type Paths } from './system/paths.ts';
import { ensureSystemUser } from './system/system-user.ts';
import { createVolumeImages } from './volumes/images.ts';

const usage =
  'Write wherry restore PLACE [--at BACKUP] [--data DIR] [--password-file FILE] [--secret-key FILE] [--force].';

/** `wherry restore PLACE`: a backup into an empty data directory of this host. Resolves to the exit status. */
export async function runRestore(argv: readonly string[]): Promise<number> {
  const { from, flags } = readWords(argv);
  const own = take(flags, ['at', 'password-file', 'secret-key', 'force']);
  const settings = readSettings(flags, process.env);
  const paths = createPaths({ data: settings.data, cache: settings.cache });
  const target = parseBackupTarget(from);
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => leaving.abort(new WherryError('interrupted', 'Interrupted.')));

  makeWay(paths, own['force'] === 'true');
  const password = await readPassword(own['password-file']);
  await mkdir(paths.data, { recursive: true, mode: 0o711 });
  const {
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_DEFAULT_REGION: region,
  } = process.env;
  const restic = createRestic(
    { target, password, accessKey, secretKey, region },
    { caFile: settings.caFile || undefined },
  );
  const images = createVolumeImages(paths);
  const restored = await restore(restic, {
    paths,
    at: own['at'],
    keyFile: own['secret-key'],
    gitUser: await ensureSystemUser('wherry-git'),
    openStore: files => openStore(files.database, createSeal(loadKey(files.secretKey, files.database))),
    async makeVolume(name, size) {
      await images.create(name, size, 0);
      return `${paths.storage}/${name}`;
    },
    say,
    signal: leaving.signal,
  });
  report(restored, paths);
  return 0;
}

/** The place comes right behind the word; flags before or after. */
function readWords(argv: readonly string[]): { from: string; flags: Map<string, string> } {
  const at = argv.indexOf('restore') + 1;
  const from = argv[at];
  if (from === undefined || from.startsWith('--')) throw new WherryError('usage', usage);
  return { from, flags: readFlags([...argv.slice(0, at), ...argv.slice(at + 1)], 'restore', ['force']) };
}

function take(flags: Map<string, string>, names: readonly string[]): Record<string, string | undefined> {
  const taken = Object.fromEntries(names.map(name => [name, flags.get(name)]));
  for (const name of names) flags.delete(name);
  return taken;
}

/** @throws conflict where there is a Wherry already that may not be put aside */
function makeWay({ data, pidFile, database }: Paths, force: boolean): void {
  const isCut = existsSync(unpackedIn(data)) && !existsSync(database);
  if (isCut || !existsSync(data) || readdirSync(data).length === 0) return;
  if (!force)
    throw new WherryError('conflict', `${data} is not empty. A restore goes into an empty data directory.`, {
      hint: 'Give another one with --data, or have this one put aside by --force',
    });
  const isInUse = mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), data).length > 0;
  if (readPid(pidFile) !== undefined || isInUse)
    throw new WherryError('conflict', `A Wherry runs on ${data}. Stop it, and its apps.`, {
      hint: 'wherry down',
    });
  const aside = `${data}.before-${new Date().toISOString().replace(/[-:]|\..*/g, '')}`;
  try {
    renameSync(data, aside);
  } catch (cause) {
    throw new WherryError('failed', `${data} could not be put aside: ${(cause as Error).message}`, { cause });
  }
  say(`What was in ${data} is now in ${aside}`);
}

/** From a file, or the first line of standard input. */
async function readPassword(file: string | undefined): Promise<string> {
  const text = file === undefined ? await ask() : readSecret(file);
  const password = (text.split('\n')[0] ?? '').replace(/\r$/, '');
  if (password !== '') return password;
  throw new WherryError('usage', 'The password of the backups is missing.', {
    hint: 'Give it on standard input, or by --password-file FILE',
  });
}

async function ask(): Promise<string> {
  const hides = process.stdin.isTTY === true && execOnStdin('stty', ['-echo']);
  if (process.stdin.isTTY) process.stderr.write('Password of the backups: ');
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (hides) {
      execOnStdin('stty', ['echo']);
      process.stderr.write('\n');
    }
  }
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WherryError('invalid', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function report({ manifest, missing }: Restored, { data }: Paths): void {
  const running = manifest.apps.filter(({ release, isStopped }) => release && !isStopped).length;
  say(
    `${manifest.apps.length} apps are in ${data}${manifest.volumes.length > 0 ? `, and their storage` : ''}`,
  );
  for (const line of missing) say(line);
  say(`Now start the daemon (its domain was ${manifest.domain}): ${running} apps start with it`);
}

function say(line: string): void {
  process.stdout.write(`-----> ${line}\n`);
}

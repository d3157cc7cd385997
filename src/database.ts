import { readFlags } from './argv.ts';
import { formatBytes } from './domain/bytes.ts';
import { WherryError } from './domain/errors.ts';
import { claimPid } from './pid-file.ts';
import { readSettings } from './settings.ts';
import { listCopies } from './store/copies.ts';
import { checkDatabase } from './store/integrity.ts';
import { type Restored, restoreDatabase } from './store/restore.ts';
import { createPaths } from './system/paths.ts';

const usage = 'Write wherry database check, copies, or restore [COPY].';

/** `wherry database check|copies|restore [COPY]`: what is left to do where no daemon can start. Resolves to the exit status. */
export function runDatabase(argv: readonly string[]): number {
  const { action, name, flags } = readWords(argv);
  const paths = createPaths({ data: readSettings(readFlags(flags, 'database'), process.env).data });
  if (name !== undefined && action !== 'restore') throw new WherryError('usage', usage);
  switch (action) {
    case 'check':
      return check(paths.database);
    case 'copies':
      return print(copyLines(paths.database));
    case 'restore':
      return restore(paths, name);
    default:
      throw new WherryError('usage', usage);
  }
}

/** The action and its copy come right behind the word; flags before or after. */
function readWords(argv: readonly string[]) {
  const at = argv.indexOf('database') + 1;
  const behind = argv.slice(at);
  const end = behind.findIndex(word => word.startsWith('--'));
  const words = end < 0 ? behind : behind.slice(0, end);
  if (words.length > 2) throw new WherryError('usage', usage);
  return { action: words[0], name: words[1], flags: [...argv.slice(0, at), ...behind.slice(words.length)] };
}

function check(database: string): number {
  const damage = checkDatabase(database);
  if (damage === undefined) return print([`${database} is whole`]);
  throw new WherryError('failed', `Database ${database} is damaged: ${damage}.`, {
    hint: 'wherry database restore',
  });
}

function copyLines(database: string): readonly string[] {
  const copies = listCopies(database);
  if (copies.length === 0) return ['There is no copy yet'];
  return copies.map(({ name, bytes }) => `${name}  ${formatBytes(bytes)}`);
}

function restore(paths: { pidFile: string; database: string }, name: string | undefined): number {
  const free = claimPid(paths.pidFile);
  try {
    return print(restoredLines(restoreDatabase(paths.database, { name, now: new Date() })));
  } finally {
    free();
  }
}

function restoredLines({ copy, passedOver, aside, lost }: Restored): readonly string[] {
  return [
    ...passedOver.map(each => `Passed over ${each}`),
    `The database is as it was on ${copy.at.toISOString()} (${copy.name})`,
    ...(aside === undefined ? [] : [`What was there before is kept as ${aside}`]),
    ...(lost === undefined
      ? ['What was changed since cannot be told: that part of the damaged database is not readable']
      : lost.length === 0
        ? ['Nobody changed anything since']
        : [
            'These changes were made since, and are lost:',
            ...lost.map(
              ({ at, user, command, app }) =>
                `  ${at.toISOString()} ${command}${app === null ? '' : ` ${app}`} by ${user}`,
            ),
          ]),
    'Now start the daemon',
  ];
}

function print(lines: readonly string[]): number {
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

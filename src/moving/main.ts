import { findDestination } from '../cli/destination.ts';
import { WherryError } from '../domain/errors.ts';
import { plainText } from '../domain/plain-text.ts';
import { applyPlan } from './apply.ts';
import { type ImportArguments, readImportArguments } from './arguments.ts';
import { formatDokkuAddress } from './dokku/address.ts';
import { planDokku } from './dokku/apps.ts';
import { DokkuHost } from './dokku/host.ts';
import { connectSsh } from './dokku/ssh-link.ts';
import { lookHere } from './here.ts';
import { planHeroku } from './heroku/apps.ts';
import { herokuCli } from './heroku/cli.ts';
import type { Plan } from './moves.ts';
import { planLines, restLines } from './report.ts';
import { socketTarget, sshTarget, type Target } from './target.ts';

/** Milliseconds: dokku takes seconds for a report on a busy host. */
const patience = 60_000;

/** `wherry import dokku HOST`, `wherry import heroku APP`: shows what would be done and, with --apply, does it. Resolves to the exit status. */
export async function runImport(argv: readonly string[]): Promise<number> {
  const given = readImportArguments(argv, process.env);
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => leaving.abort(new WherryError('interrupted', 'Interrupted.')));
  const say = (line: string) => void process.stdout.write(`${plainText(line)}\n`);
  const target = await findTarget(given, leaving.signal);
  const plan = await look(given, { target, signal: leaving.signal });
  if (!given.apply) {
    for (const line of [...planLines(plan), ...restLines(plan)]) say(line);
    say('=====> Nothing was changed. To do it, add --apply');
    return 0;
  }
  const failures = await applyPlan(plan, { target, say });
  for (const line of restLines(plan)) say(line);
  if (failures.length === 0) return 0;
  say(
    `=====> ${failures.length === 1 ? '1 step' : `${failures.length} steps`} failed. Mend them, and run this again: what is done stays done.`,
  );
  return 1;
}

/** Where the person's other commands go too: the daemon of this host, or that of WHERRY_HOST or the folder's git remote. */
async function findTarget(given: ImportArguments, signal: AbortSignal): Promise<Target> {
  const found = await findDestination(given, { folder: process.cwd(), env: process.env });
  return found.kind === 'ssh' ? sshTarget(found.remote, signal) : socketTarget(found.path, signal);
}

async function look(
  { source, apply }: ImportArguments,
  { target, signal }: { target: Target; signal: AbortSignal },
): Promise<Plan> {
  const here = await lookHere(target, { optional: !apply });
  const { apps } = source;
  if (source.kind === 'heroku')
    return await planHeroku(herokuCli({ patience, signal }), { apps, source: source.folder, here });
  const { address, sshConfig: config } = source;
  const interactive = process.stdin.isTTY === true;
  const { link, close } = await connectSsh(address, { config, interactive, patience, signal });
  try {
    return await planDokku(new DokkuHost(formatDokkuAddress(address), link), apps, here);
  } finally {
    await close();
  }
}

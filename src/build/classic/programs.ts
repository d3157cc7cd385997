import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import type { Fetched } from '../fetch/fetcher.ts';
import { createLines } from '../lifecycle/output.ts';
import { type ClassicContainer, insideOf } from './container.ts';
import { parseRelease, type ReleaseInfo } from './release-yaml.ts';

// The programs of a classic buildpack, as Heroku's Buildpack API calls them.

export type Programs = {
  readonly container: Pick<ClassicContainer, 'run'>;
  readonly buildpacks: readonly Fetched[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

const [app, cache, config] = ['/app', '/cache', '/platform/env'];
/** Bytes kept of a program whose output is read. */
const mostOutput = 2 ** 18;

/**
 * `export` files of the buildpacks before are sourced, then compile takes the shell's place. Runs in the sandbox alone; the
 * text never changes, all that does comes as arguments.
 */
const compileScript = `wherry_argv=("\${@:1:4}")
shift 4
for wherry_file; do
  [ -f "$wherry_file" ] && . "$wherry_file"
done
unset wherry_file
exec "\${wherry_argv[@]}"`;

/** Each buildpack in order: it must know the app, then it compiles it. @throws build-failed at the first that does not */
export async function compileAll(programs: Programs): Promise<void> {
  for (const [index, { source }] of programs.buildpacks.entries()) {
    await detect(programs, index);
    const code = await compile(programs, index);
    await report(programs, index);
    if (code !== 0)
      throw new WherryError(
        'build-failed',
        `The build failed: bin/compile of buildpack ${source.text} ended with exit status ${code}. Its output is above.`,
      );
  }
}

/** What the last buildpack says of the app's processes; nothing when it has no `bin/release`. */
export async function releaseOf(programs: Programs): Promise<ReleaseInfo> {
  const last = programs.buildpacks.length - 1;
  const nothing: ReleaseInfo = { processes: new Map(), config: new Map() };
  if (!hasProgram(programs, last, 'release')) return nothing;
  const kept = keeping();
  const argv = ['bash', '-c', '"$0" "$1" 2>/dev/null', `${insideOf(last)}/bin/release`, app];
  const code = await programs.container.run({ argv, onOutput: kept.add });
  if (code !== 0)
    throw new WherryError(
      'build-failed',
      `The build failed: bin/release of buildpack ${nameOf(programs, last)} ended with exit status ${code}.`,
    );
  return parseRelease(kept.text());
}

async function detect(programs: Programs, index: number): Promise<void> {
  const kept = keeping();
  const argv = [`${insideOf(index)}/bin/detect`, app];
  const code = await programs.container.run({ argv, onOutput: kept.add });
  const lines = kept
    .text()
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  if (code === 0) return programs.progress.step(`${lines[0] ?? nameOf(programs, index)} app detected`);
  for (const line of lines) programs.progress.raw(line);
  throw new WherryError(
    'build-failed',
    `Buildpack ${nameOf(programs, index)} does not know this app: its bin/detect ended with exit status ${code}. Remove it from the app's buildpacks, or add what it looks for.`,
  );
}

async function compile({ container, progress }: Programs, index: number): Promise<number> {
  const lines = createLines(progress.raw);
  const exports = Array.from({ length: index }, (_, before) => `${insideOf(before)}/export`);
  const program = [`${insideOf(index)}/bin/compile`, app, cache, config];
  const argv = ['bash', '-c', compileScript, 'compile', ...program, ...exports];
  const code = await container.run({ argv, onOutput: lines.write });
  lines.end();
  return code;
}

/** For Heroku's own statistics: its output goes nowhere, and it fails nothing. */
async function report(programs: Programs, index: number): Promise<void> {
  if (!hasProgram(programs, index, 'report')) return;
  const argv = [`${insideOf(index)}/bin/report`, app, cache, config];
  try {
    await programs.container.run({ argv, onOutput: () => {}, timeout: 60_000 });
  } catch (error) {
    programs.signal.throwIfAborted();
    if (!(error instanceof WherryError)) throw error;
  }
}

function hasProgram({ buildpacks }: Programs, index: number, name: string): boolean {
  const stats = lstatSync(join(buildpacks[index]?.dir ?? '', 'bin', name), { throwIfNoEntry: false });
  return stats !== undefined && (stats.isSymbolicLink() || (stats.mode & 0o111) !== 0);
}

function nameOf({ buildpacks }: Programs, index: number): string {
  return buildpacks[index]?.source.text ?? '';
}

function keeping() {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk: Buffer): void {
      size += chunk.length;
      if (size <= mostOutput) chunks.push(chunk);
    },
    text: (): string => Buffer.concat(chunks).toString('utf8'),
  };
}

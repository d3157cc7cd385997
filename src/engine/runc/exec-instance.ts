import path from 'node:path';
import type { Writable } from 'node:stream';
import { WherryError } from '../../domain/errors.ts';
import type { Terminal } from '../../domain/terminal.ts';
import type { ChildProcess } from '../../system/exec.ts';
import { programRoot } from '../../system/root.ts';
import type { AttachSpec, ExecSpec } from '../engine.ts';
import { ociProcess } from './bundle.ts';
import type { Driver, Living } from './driver.ts';
import { withinHost } from './prepare.ts';
import { kill, sessionOf } from './processes.ts';
import { outputOnly, runInside } from './run-inside.ts';
import { runtimeOf } from './runtime.ts';
import { isAlive } from './status.ts';

/** Runs a command beside the instance's own process: same user, environment and folder. */
export async function execInstance(driver: Driver, living: Living, options: ExecSpec): Promise<number> {
  const { spec } = living.record;
  if (!isAlive(living))
    throw new WherryError('conflict', `Instance ${spec.id} does not run. Start it first.`);
  return runInside({
    id: spec.id,
    folder: living.folder,
    runtime: runtimeOf(driver, living),
    process: ociProcess({
      argv: options.argv,
      env: { ...spec.env, ...options.env },
      workingDir: spec.workingDir,
      user: spec.user,
      capabilities: [],
      ulimits: withinHost(driver, spec.ulimits),
    }),
    ...outputOnly(options.onOutput),
    signal: options.signal,
    endLeftovers: pid => endSession(driver, living, pid),
  });
}

/** The same with somebody's streams, on a terminal of its own where they have one. */
export async function attachInstance(driver: Driver, living: Living, options: AttachSpec): Promise<number> {
  const { spec } = living.record;
  if (!isAlive(living))
    throw new WherryError('conflict', `Instance ${spec.id} does not run. Start it first.`);
  const { terminal, signal } = options;
  return runInside({
    id: spec.id,
    folder: living.folder,
    runtime: runtimeOf(driver, living),
    process: ociProcess({
      argv: options.argv,
      env: { ...spec.env, ...options.env, ...(terminal && { TERM: terminal.term }) },
      workingDir: spec.workingDir,
      user: spec.user,
      capabilities: [],
      ulimits: withinHost(driver, spec.ulimits),
      terminal: terminal?.size,
    }),
    ...(terminal && { through: terminalOf(terminal) }),
    stdio: ['pipe', 'pipe', 'pipe', ...(terminal ? (['pipe'] as const) : [])],
    connect: child => join(child, options),
    signal,
    endLeftovers: pid => endSession(driver, living, pid),
  });
}

function join(child: ChildProcess, { stdin, stdout, stderr, terminal }: AttachSpec): void {
  child.stdout?.pipe(stdout, { end: false });
  child.stderr?.pipe(stderr, { end: false });
  if (child.stdin) {
    // It may end while there is more to say to it.
    child.stdin.on('error', () => stdin.resume());
    stdin.pipe(child.stdin);
  }
  const sizes = child.stdio[3] as Writable | null | undefined;
  sizes?.on('error', () => {});
  terminal?.onResize(({ rows, columns }) => void sizes?.write(`${rows} ${columns}\n`));
}

/** Perl is on every Debian and Ubuntu, and can open a terminal as Node cannot. */
function terminalOf({ size }: Terminal): readonly string[] {
  const program = path.join(programRoot, 'src/engine/runc/terminal.pl');
  return ['/usr/bin/perl', program, String(size.rows), String(size.columns)];
}

function endSession(driver: Driver, living: Living, pid: number): void {
  const left = driver.cgroups.processes(living.cgroup).filter(each => sessionOf(each) === pid);
  for (const each of left) kill(each, 'SIGKILL');
}

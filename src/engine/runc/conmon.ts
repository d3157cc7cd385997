import { WherryError } from '../../domain/errors.ts';
import { spawn } from '../../system/exec.ts';
import type { Folders, InstanceFolder } from './folders.ts';
import type { Runtime } from './runtime.ts';

const startTimeout = 60_000;
/** Bytes of output kept per instance; conmon begins the file anew beyond it. */
const usualLogSize = 10 * 2 ** 20;
/** The descriptor on which conmon tells how the start went. */
const syncPipe = 3;

/**
 * conmon's command line. conmon calls `runc <runtime args> create --bundle B --pid-file P ID`, which needs a second runc process,
 * `runc start`, afterwards. The runtime args given here turn that call into `runc run --detach --bundle create --bundle B ...`:
 * the word `create` becomes the value of a first `--bundle`, which the second overrules. So one process creates and starts.
 */
export function conmonArguments(options: {
  id: string;
  folders: Folders;
  folder: InstanceFolder;
  runtime: Runtime;
  logFile: string;
  logSize?: number | undefined;
}): readonly string[] {
  const { id, folders, folder, logFile, logSize = usualLogSize } = options;
  const [program, ...words] = options.runtime;
  return [
    ...['--api-version', '1', '--cid', id, '--cuuid', id],
    ...['--runtime', program, '--bundle', folder.bundle],
    ...['--container-pidfile', folder.pid, '--conmon-pidfile', folder.conmonPid],
    ...['--log-path', `k8s-file:${logFile}`, '--log-size-max', String(logSize), '--log-level', 'error'],
    ...['--exit-dir', folders.exits, '--full-attach', '--no-sync-log'],
    ...[...words, 'run', '--detach', '--bundle'].map(arg => `--runtime-arg=${arg}`),
  ];
}

/**
 * Starts an instance under a conmon of its own, which outlives this process. Returns the host pid of the instance's init.
 * @throws WherryError failed with the runtime's own words.
 */
export async function superviseStart(args: readonly string[], folder: InstanceFolder): Promise<number> {
  const child = spawn('conmon', args, {
    // It leaves a file `oom` where it stands when memory runs out.
    cwd: folder.dir,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', _OCI_SYNCPIPE: String(syncPipe) },
    detached: true,
  });
  const answer = await firstAnswer(child);
  const { data, message } = JSON.parse(answer) as { data: number; message?: string };
  if (data > 0) return data;
  throw new WherryError(
    'failed',
    `The container did not start: ${runtimeWords(message ?? `status ${data}`)}`,
  );
}

/** The first line on the sync pipe. The pipe stays open in conmon as long as the instance runs, so we let go of our end. */
function firstAnswer(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    const pipe = child.stdio[syncPipe] as NodeJS.ReadableStream & { destroy(): void };
    let text = '';
    let said = '';
    const settle = (act: () => void) => {
      clearTimeout(timer);
      pipe.destroy();
      child.stderr?.destroy();
      act();
    };
    const fail = (why: string) =>
      settle(() => reject(new WherryError('failed', `The container did not start: ${why}`)));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`no answer in ${startTimeout / 1000} seconds.`);
    }, startTimeout);
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) settle(() => resolve(text));
    });
    pipe.on('end', () => fail(said.trim() || 'its supervisor ended early.'));
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-2000);
    });
    child.once('error', error => fail(error.message));
  });
}

/** runc logs `time="..." level=error msg="runc run failed: ..."`: the message is what helps. */
function runtimeWords(text: string): string {
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (message ?? text).replaceAll('\\"', '"').trim();
}

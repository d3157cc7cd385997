import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex, Writable } from 'node:stream';
import type { Paths } from '../system/paths.ts';

/** Root's, so that git's user cannot change what runs here. */
export function hooksDir(paths: Paths): string {
  return join(paths.repos, '.hooks');
}

/** Descriptors 3 and 4 come from the daemon through git receive-pack, which passes on what it does not know. */
const preReceive = `#!/bin/sh
# Hands the push to the Wherry daemon, shows what it says, ends with its verdict.
# Written anew at each start of the daemon.
printf '%s\\n' "$GIT_QUARANTINE_PATH" >&3 || exit 1
# Words of its own for options: what a client writes into one may hold line ends.
explain= other= at=0
while [ "$at" -lt "\${GIT_PUSH_OPTION_COUNT:-0}" ]; do
  eval "option=\\$GIT_PUSH_OPTION_$at"
  case $option in
    explain) explain=explain ;;
    *) other=other ;;
  esac
  at=$((at + 1))
done
printf '%s\\n' "$explain $other" >&3 || exit 1
while IFS= read -r line; do
  printf '%s\\n' "$line" >&3 || exit 1
done
printf '.\\n' >&3 || exit 1
cat <&4
IFS= read -r status <&3 || exit 1
exit "$status"
`;

export async function installHook(paths: Paths): Promise<void> {
  const dir = hooksDir(paths);
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o755);
  const fresh = join(dir, '.pre-receive');
  await writeFile(fresh, preReceive);
  await chmod(fresh, 0o755);
  await rename(fresh, join(dir, 'pre-receive'));
}

/** What the hook tells, before any ref has moved. */
export type HookCall = {
  /** Folder with the pushed objects. */
  readonly quarantine: string;
  /** What came with the push as `-o`: one that is known, and `other` for all else. */
  readonly options: ReadonlySet<string>;
  /** `old new ref` lines, at most `longest` of them. */
  readonly lines: readonly string[];
  /** All lines that came. */
  readonly count: number;
};

/**
 * Waits until the hook has told all. Lines past `longest` are counted and dropped, so that a push of a million refs
 * takes no memory. Undefined when the channel ends before.
 */
export function readHookCall(channel: Duplex, longest: number): Promise<HookCall | undefined> {
  return new Promise(resolve => {
    let rest = '';
    const head: string[] = [];
    let count = 0;
    const lines: string[] = [];
    const settle = (call: HookCall | undefined) => {
      channel.off('data', take).off('close', gone).off('end', gone);
      resolve(call);
    };
    const gone = () => settle(undefined);
    const take = (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = (parts.pop() ?? '').slice(0, 8192);
      for (const line of parts) {
        if (line === '.') return settle({ ...headOf(head), lines, count });
        if (head.length < headLines) {
          head.push(line);
          continue;
        }
        if (count < longest) lines.push(line);
        count += 1;
      }
    };
    channel.on('data', take).on('close', gone).on('end', gone);
  });
}

/** Lines before those of refs. */
const headLines = 2;

function headOf([quarantine = '', options = '']: readonly string[]): Pick<
  HookCall,
  'quarantine' | 'options'
> {
  return { quarantine, options: new Set(options.split(' ').filter(word => word !== '')) };
}

/** Ends the hook: closes its output, then hands it the status. */
export function answerHook(channels: { verdict: Duplex; output: Writable }, status: 0 | 1): void {
  channels.output.end();
  channels.verdict.write(`${status}\n`);
}

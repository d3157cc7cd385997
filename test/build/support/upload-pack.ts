import { join } from 'node:path';
import type { ServerChannel } from 'ssh2';
import { spawn } from '../../../src/system/exec.ts';

/** Hands out the bare repositories of a folder over SSH, as hosts of repositories do: `git@HOST:NAME.git`. */
export function uploadPackOf(folder: string): (command: string, channel: ServerChannel) => boolean {
  return (command, channel) => {
    const [, name] = /^git-upload-pack '\/([a-z]+)\.git'$/.exec(command) ?? [];
    if (name === undefined) return false;
    const repository = join(folder, `${name}.git`);
    const child = spawn('git', ['-c', 'safe.directory=*', 'upload-pack', repository], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    if (child.stdin) channel.pipe(child.stdin);
    child.stdout?.pipe(channel, { end: false });
    child.once('close', code => {
      channel.exit(code ?? 128);
      channel.end();
    });
    return true;
  };
}

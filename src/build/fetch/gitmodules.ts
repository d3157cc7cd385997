import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { exec } from '../../system/exec.ts';
import { hardenedGitEnv } from '../../system/git-env.ts';
import { ensureSystemUser } from '../../system/system-user.ts';
import { readSmallFile } from '../read-file.ts';

const environment = hardenedGitEnv({ home: '/nonexistent', config: [], protocols: 'none' });

const largest = 64 * 1024;
const most = 50;

/** URLs of submodules by path, as .gitmodules in a folder has them; none where there is none. @throws build-failed */
export async function gitmodulesOf(dir: string, signal: AbortSignal): Promise<Map<string, string>> {
  const text = readSmallFile(join(dir, '.gitmodules'), '.gitmodules', largest);
  if (text === undefined) return new Map();
  const urls = await readGitmodules(text, signal);
  if (urls.size <= most) return urls;
  throw new WherryError(
    'build-failed',
    `.gitmodules names ${urls.size} submodules; ${most} are allowed. Commit their files.`,
  );
}

/**
 * Without those that say they are not fetched (`update = none`). git itself reads the text, which it gets on standard input: it
 * follows no include from there.
 * @throws build-failed when it is no such file
 */
async function readGitmodules(text: string, signal: AbortSignal): Promise<Map<string, string>> {
  const user = await ensureSystemUser('wherry-git');
  const args = ['config', '--no-includes', '--file', '-', '--null', '--list'];
  const options = { ...user, cwd: '/', env: environment, input: text, timeout: 10_000, signal };
  const { stdout } = await exec('git', args, options).catch(cause => {
    signal.throwIfAborted();
    throw new WherryError('build-failed', 'The file .gitmodules cannot be read. Correct it.', { cause });
  });
  return urlsIn(stdout);
}

/** Entries are `submodule.NAME.KEY`, a newline, the value and a NUL; NAME may hold dots. */
function urlsIn(listed: string): Map<string, string> {
  const submodules = new Map<string, Map<string, string>>();
  for (const entry of listed.split('\0')) {
    const [, name = '', key = '', value = ''] =
      /^submodule\.([^\n]+)\.([a-z-]+)\n([\s\S]*)$/.exec(entry) ?? [];
    if (key !== '') submodules.set(name, (submodules.get(name) ?? new Map<string, string>()).set(key, value));
  }
  const urls = new Map<string, string>();
  for (const values of submodules.values()) {
    const [path, url] = [values.get('path'), values.get('url')];
    if (path !== undefined && url !== undefined && values.get('update') !== 'none') urls.set(path, url);
  }
  return urls;
}

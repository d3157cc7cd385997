import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteForPeople } from '../../domain/names.ts';
import type { Clock } from '../../system/clock.ts';
import { ensureSystemUser } from '../../system/system-user.ts';
import type { FetchedCommit, FetchRequest } from '../builder.ts';
import type { DownloadRules } from './download.ts';
import { type FindLogin, fetchCommit, type RepositoryRequest, resolveCommit } from './repository.ts';
import { makeScratch } from './scratch.ts';
import { openSshAccess, type SshAccess, type SshIdentity } from './ssh-access.ts';

export type AppRepositories = {
  readonly cache: string;
  readonly clock: Clock;
  readonly rules: Omit<DownloadRules, 'signal'>;
  readonly login: FindLogin;
  /** For repositories by ssh; undefined where there is no deploy key. */
  readonly sshIdentity: () => SshIdentity | undefined;
};

/** An app's code from a repository elsewhere, under the same guards as buildpacks. @throws access-denied, unavailable, not-found */
export async function fetchAppCommit(
  { app, url, ref, objects, progress, signal }: FetchRequest,
  { cache, clock, rules, login, sshIdentity }: AppRepositories,
): Promise<FetchedCommit> {
  const user = await ensureSystemUser('wherry-git');
  const scratch = await makeScratch(join(cache, 'repositories'), clock.now());
  let ssh: SshAccess | undefined;
  try {
    progress.step(`Fetching ${quoteForPeople(url.href)}`);
    if (url.protocol === 'ssh:')
      ssh = await openSshAccess(url, { identity: sshIdentity(), user, allowed: rules.allowed });
    const request: RepositoryRequest = {
      ...{ url: url.href, ref, scratch, user, objects, login: login(app, url.host) },
      rules: { ...rules, signal },
      smart: true,
      ssh,
    };
    const remote = await resolveCommit(request);
    await fetchCommit(request, remote);
    const { commit, branch } = remote;
    progress.detail(`Commit ${commit}`);
    return { commit, ...(branch === undefined ? {} : { branch }) };
  } finally {
    await ssh?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

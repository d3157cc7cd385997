import type { Repository } from '../../support/git.ts';
import { startTraffic, type Tally } from '../../support/traffic.ts';
import { until } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';

export type Load = { readonly deploys: number; readonly requests: number };

/** Deploys after deploys under load, until there were so many of both. */
export async function deploysUnderLoad(wherry: Wherry, repository: Repository, load: Load): Promise<Tally> {
  const traffic = startTraffic(
    { port: wherry.httpPort, host: wherry.hostOf('ramp'), path: '/whoami' },
    { clients: 8, pause: 1 },
  );
  for (let number = 1; number <= load.deploys; number += 1) {
    repository.write({ 'note.txt': `deploy ${number}` });
    await repository.commit(`Deploy ${number}`);
    const pushed = await repository.push();
    if (pushed.code !== 0) throw new Error(pushed.output);
  }
  await until('the requests', () => traffic.answered() >= load.requests, { timeout: 300_000 });
  return await traffic.end();
}

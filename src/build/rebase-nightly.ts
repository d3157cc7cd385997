import type { Actor, Progress } from '../domain/push.ts';
import type { Log } from '../system/log.ts';
import type { RebaseAll } from './rebase-all.ts';
import type { Stack } from './stack/stack.ts';

const platform: Actor = { name: 'wherry', via: 'platform' };

/** The security rebuild of every stack of Debian packages, and after it a rebase of the apps that are behind. */
export function createNightly(options: {
  readonly stack: Pick<Stack, 'list' | 'rebuild'>;
  readonly rebaseAll: RebaseAll;
  readonly log: Log;
}) {
  const { stack, rebaseAll, log } = options;
  const progress: Progress = {
    header() {},
    step: text => log.info({}, text),
    detail() {},
    raw() {},
    warn: text => log.warn({}, text),
  };
  return async (signal: AbortSignal): Promise<void> => {
    const names = new Set(stack.list().flatMap(each => (each.spec.kind === 'debian' ? [each.stack] : [])));
    for (const name of names) {
      try {
        const { generation, changed } = await stack.rebuild(name, {}, { progress, signal });
        log.info({ stack: name, generation: generation.number, changed }, 'stack rebuilt');
      } catch (error) {
        signal.throwIfAborted();
        log.error({ err: error, stack: name }, 'a stack could not be rebuilt');
      }
    }
    for (const outcome of await rebaseAll({ force: false }, { actor: platform, progress, signal }))
      if (outcome.outcome !== 'newest') log.info(outcome, 'rebase');
  };
}

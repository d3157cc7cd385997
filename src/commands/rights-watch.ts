import { WherryError } from '../domain/errors.ts';
import { parseAppName } from '../domain/names.ts';
import type { Actor } from '../domain/push.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { authorise } from './authorise.ts';
import type { Command } from './define.ts';
import { appOf, type Input, withApp } from './parse.ts';

/** What goes on for as long as a client likes: it ends when the rights that it began with are gone. */
export type RightsWatch = {
  /** Aborted, with what to say, once they are. */
  readonly signal: AbortSignal;
  stop(): void;
};

type Watched = {
  readonly command: Command;
  readonly input: Input;
  readonly actor: Actor;
  readonly signal: AbortSignal;
};
type Services = { readonly store: Store; readonly clock: Pick<Clock, 'now'> };

/** Looks every so many milliseconds whether it would be let through now. Of whoever owns the host there is nothing to look at. */
export function watchRights(watched: Watched, services: Services, look: number): RightsWatch {
  const over = new AbortController();
  const isSame = sameToken(watched.actor, services);
  const current = currentInput(watched, services);
  const check = () => {
    try {
      authorise(watched.actor, { command: watched.command, input: current() }, services.store);
      if (isSame()) return;
    } catch {
      // Also what cannot be found out counts as taken away.
    }
    stop();
    over.abort(ended(watched.command));
  };
  const timer = watched.actor.via === 'local' ? undefined : setInterval(check, look).unref();
  const stop = () => {
    clearInterval(timer);
    watched.signal.removeEventListener('abort', stop);
  };
  watched.signal.addEventListener('abort', stop, { once: true });
  return { signal: over.signal, stop };
}

/** The items of a stream, until the rights are gone. @throws access-denied then */
export async function* whileAllowed(
  items: AsyncIterable<unknown>,
  { signal, stop }: RightsWatch,
): AsyncGenerator<unknown> {
  try {
    for await (const item of items) {
      signal.throwIfAborted();
      yield item;
    }
    signal.throwIfAborted();
  } finally {
    stop();
  }
}

/** Whether the token that they came with is good still, and no other of the same name. */
function sameToken({ name, token }: Actor, { store, clock }: Services): () => boolean {
  if (token === undefined) return () => true;
  const find = () => store.tokens.of(name).find(each => each.name === token);
  const began = find()?.createdAt.getTime();
  return () => {
    const now = find();
    return (
      now !== undefined &&
      now.createdAt.getTime() === began &&
      (now.expiresAt === null || now.expiresAt > clock.now())
    );
  };
}

/** An app that gets another name meanwhile is the same. */
function currentInput({ command, input }: Watched, { store }: Services): () => Input {
  const named = appOf(command, input);
  const app = named && !named.isNew ? store.apps.find(parseAppName(named.name)) : undefined;
  if (!app) return () => input;
  return () => {
    if (store.apps.find(app.name)?.id === app.id) return input;
    const renamed = store.apps.list().find(({ id }) => id === app.id);
    return renamed ? withApp(command, input, renamed.name) : input;
  };
}

function ended({ name }: Command): WherryError {
  return new WherryError(
    'access-denied',
    `Access denied: the rights that ${name} began with were taken away, so it was ended.`,
  );
}

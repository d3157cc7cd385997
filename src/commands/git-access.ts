import type { GitSession, Receiver } from '../receive/receiver.ts';
import type { Store } from '../store/store.ts';
import { authoriseGit } from './authorise.ts';

/** The git side for clients: each push and fetch is authorised before anything of it is read. */
export function guardGit(
  receiver: Pick<Receiver, 'receivePack' | 'uploadPack'>,
  store: Store,
): Pick<Receiver, 'receivePack' | 'uploadPack'> {
  return {
    async receivePack(session: GitSession) {
      authoriseGit(session.actor, 'push', session.app, store);
      return await receiver.receivePack(session);
    },
    async uploadPack(session: GitSession) {
      authoriseGit(session.actor, 'fetch', session.app, store);
      return await receiver.uploadPack(session);
    },
  };
}

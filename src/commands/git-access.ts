import { WherryError } from '../domain/errors.ts';
import type { GitSession, Receiver } from '../receive/receiver.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { authoriseGit } from './authorise.ts';
import { noteAudit } from './note-audit.ts';

/** The git side for clients: each push and fetch is authorised before anything of it is read. */
export function guardGit(
  receiver: Pick<Receiver, 'receivePack' | 'uploadPack'>,
  services: { readonly store: Store; readonly clock: Clock; readonly log: Log },
): Pick<Receiver, 'receivePack' | 'uploadPack'> {
  const { store } = services;
  return {
    async receivePack(session: GitSession) {
      const { actor, app } = session;
      let result = 'failed';
      try {
        authoriseGit(actor, 'push', app, store);
        const status = await receiver.receivePack(session);
        if (status === 0) result = 'ok';
        return status;
      } catch (error) {
        if (error instanceof WherryError) result = error.code;
        throw error;
      } finally {
        noteAudit(services, actor, { command: 'git-push', app, other: null, args: '', result });
      }
    },
    async uploadPack(session: GitSession) {
      authoriseGit(session.actor, 'fetch', session.app, store);
      return await receiver.uploadPack(session);
    },
  };
}

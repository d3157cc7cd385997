import type { Deployer } from '../deploy.ts';
import { WherryError } from '../domain/errors.ts';
import { gitSettings } from '../domain/git-settings.ts';
import type { PushHandler } from '../receive/receiver.ts';
import type { Store } from '../store/store.ts';

/** Of all apps: whether `apps:set` keeps a push from creating one. */
export const noAutocreation = 'disable-autocreation';

/** What a push leads to. */
export function pushHandler({
  store,
  autocreate,
  deployer,
}: {
  store: Store;
  autocreate: boolean;
  deployer: () => Pick<Deployer, 'create' | 'push'>;
}): PushHandler {
  return {
    async admit(name, actor) {
      if (store.apps.find(name)) return;
      if (!autocreate || store.properties.get('global', noAutocreation) === 'true') {
        throw new WherryError('app-not-found', `App ${name} does not exist`, { hint: `apps:create ${name}` });
      }
      deployer().create(name, actor);
    },
    deployBranch: name => store.apps.find(name)?.deployBranch ?? null,
    setDeployBranch: (name, branch) => store.apps.setDeployBranch(store.apps.get(name), branch),
    keepsHistory(name) {
      const app = store.apps.find(name);
      return (
        app !== undefined && store.properties.resolve(app.id, gitSettings['keep-git-dir'].key) === 'true'
      );
    },
    async deploy(push, source, { progress, signal }) {
      await deployer().push(push, source, { actor: push.actor, progress, signal });
    },
  };
}

import { gitSettings } from '../../domain/git-settings.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

/** The branch that is deployed, and how the code gets here. */
export async function moveCode(host: DokkuHost, app: string): Promise<void> {
  const git = await host.report('git', app);
  const apps = await host.report('apps', app, 'app-');
  const branch = git?.get('deploy-branch') ?? '';
  const settings = [
    ['deploy-branch', branch],
    ['keep-git-dir', git?.get('keep-git-dir') === 'true' ? 'true' : ''],
    ['rev-env-var', git?.get('rev-env-var') ?? ''],
  ] as const;
  for (const [name, value] of settings)
    if (value !== '' && sift([value], host.left, gitSettings[name].parse).length > 0)
      host.step('git:set', app, name, value);
  if (apps?.get('locked') === 'true')
    host.left.push(`It is locked there: apps:lock ${app}, if it is to stay so.`);
  const source = apps?.get('deploy-source-metadata') ?? '';
  if (apps?.get('deploy-source') === 'docker-image' && /^[\w./:@-]{1,300}$/.test(source))
    host.later.push(`Its code is an image: git:from-image ${app} ${source}`);
  else {
    host.later.push(
      `Push its code here, from a clone of yours or of that host: git clone ${host.address}:${app}`,
    );
    host.later.push(
      `Or let Wherry fetch it: git:generate-deploy-key, let that key in there, git:allow-host, then git:sync --build ${app} ssh://${host.address}/${app}`,
    );
  }
}

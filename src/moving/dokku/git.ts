import { quoteForPeople } from '../../domain/names.ts';
import type { DokkuHost } from './host.ts';

/** The branch that is deployed, and how the code gets here. */
export async function moveCode(host: DokkuHost, app: string): Promise<void> {
  const git = await host.report('git', app);
  const apps = await host.report('apps', app, 'app-');
  const branch = git?.get('deploy-branch') ?? '';
  const plain = /^[\w][\w./-]{0,100}$/.test(branch);
  if (branch !== '' && plain) host.step('git:set', app, 'deploy-branch', branch);
  else if (branch !== '') host.left.push(`Its deploy branch ${quoteForPeople(branch)} has an odd name.`);
  if (apps?.get('locked') === 'true')
    host.left.push(`It is locked there: apps:lock ${app}, if it is to stay so.`);
  const source = apps?.get('deploy-source-metadata') ?? '';
  if (apps?.get('deploy-source') === 'docker-image' && /^[\w./:@-]{1,300}$/.test(source))
    host.later.push(`Its code is an image: git:from-image ${app} ${source}`);
  else
    host.later.push(
      `Push its code here, from a clone of yours or of that host: git clone ${host.address}:${app}`,
    );
}

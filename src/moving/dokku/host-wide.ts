import { quoteForPeople } from '../../domain/names.ts';
import { moveConfig } from './config.ts';
import type { DokkuHost } from './host.ts';

/** What is of no one app. Settings that would change other apps here are told, but for config, which all apps there rely on. */
export async function moveHost(host: DokkuHost): Promise<void> {
  await moveConfig(host, '--global');
  const report = await host.report('domains', '--global');
  const domains = report?.get('global-vhosts') ?? '';
  if (domains !== '')
    host.left.push(
      `New apps got names below ${quoteForPeople(domains)} there. If they are to here: domains:add-global ${/^[\w. -]+$/.test(domains) ? domains : 'DOMAIN'}`,
    );
  host.left.push('Keys of people cannot be read there. Let each in again: ssh-keys:add NAME < KEY.pub');
}

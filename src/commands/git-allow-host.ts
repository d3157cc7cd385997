import { checkHost, parseAllowedHosts } from '../build/fetch/addresses.ts';
import { defineCommand } from './define.ts';
import { gitHost } from './git-auth.ts';

const allowHost = defineCommand({
  name: 'git:allow-host',
  summary: 'Check that git:sync may fetch from a host',
  description:
    'dokku keeps a host key for ssh by this. Here repositories are fetched by https, so nothing need be kept: any host of the Internet may be fetched from, and one inside your network when --allow-hosts of the daemon names it.',
  examples: ['git:allow-host git.example.org'],
  args: { host: gitHost },
  access: 'owner',
  effect: 'read',
  async run({ settings, progress }, { host }) {
    await checkHost(new URL(`https://${host}`), parseAllowedHosts(settings.allowHosts));
    progress.step(`Repositories at ${host} may be fetched`);
    return { host };
  },
  text: () => [],
});

export const gitAllowHostCommands = [allowHost];

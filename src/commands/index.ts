import { appsCommands } from './apps.ts';
import { buildpacksCommands } from './buildpacks.ts';
import { configCommands } from './config.ts';
import { domainsCommands } from './domains.ts';
import { eventsCommands } from './events.ts';
import { gitCommands } from './git.ts';
import { helpCommand, versionCommand } from './help.ts';
import { logsCommands } from './logs.ts';
import { psCommands } from './ps.ts';
import { quotaCommands } from './quota.ts';
import { createRegistry, type Registry } from './registry.ts';
import { releasesCommands } from './releases.ts';
import { resourceCommands } from './resource.ts';
import { sshKeysCommands } from './ssh-keys.ts';
import { urlsCommands } from './urls.ts';

/** Every command that Wherry has of itself; a new namespace is one row. */
export function createCoreRegistry(): Registry {
  const registry = createRegistry([
    ...appsCommands,
    ...buildpacksCommands,
    ...configCommands,
    ...domainsCommands,
    ...eventsCommands,
    ...gitCommands,
    ...logsCommands,
    ...psCommands,
    ...quotaCommands,
    ...releasesCommands,
    ...resourceCommands,
    ...sshKeysCommands,
    ...urlsCommands,
    versionCommand,
  ]);
  registry.add(helpCommand(registry));
  return registry;
}

/** The one registry that all front ends of a process read. */
export const registry: Registry = createCoreRegistry();

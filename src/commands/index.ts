import { accessCommands } from './access.ts';
import { accessCheck } from './access-check.ts';
import { appJsonCommands } from './app-json.ts';
import { appsCommands } from './apps.ts';
import { audit } from './audit.ts';
import { autoscaleCommands } from './autoscale.ts';
import { backupCommands } from './backup.ts';
import { builderCommands } from './builder.ts';
import { builderDockerfileCommands } from './builder-dockerfile.ts';
import { buildpacksCommands } from './buildpacks.ts';
import { buildsCommands } from './builds.ts';
import { certsCommands } from './certs.ts';
import { checksCommands } from './checks.ts';
import { cleanup } from './cleanup.ts';
import { completionCommand } from './completion.ts';
import { configCommands } from './config.ts';
import { cronCommands } from './cron.ts';
import { diskCommands } from './disk.ts';
import { dockerOptionsCommands } from './docker-options.ts';
import { doctor } from './doctor.ts';
import { domainsCommands } from './domains.ts';
import { errorPagesCommands } from './error-pages.ts';
import { eventsCommands } from './events.ts';
import { gitCommands } from './git.ts';
import { gitAllowHostCommands } from './git-allow-host.ts';
import { gitAuthCommands } from './git-auth.ts';
import { gitDeployKeyCommands } from './git-deploy-key.ts';
import { gitFromArchiveCommands } from './git-from-archive.ts';
import { gitFromImageCommands } from './git-from-image.ts';
import { gitRepositoryCommands } from './git-repository.ts';
import { gitSyncCommands } from './git-sync.ts';
import { helpCommand, versionCommand } from './help.ts';
import { hostCommands } from './host.ts';
import { imageCommands } from './image.ts';
import { isolationCommands } from './isolation.ts';
import { letsencryptCommands } from './letsencrypt.ts';
import { logsCommands } from './logs.ts';
import { networkCommands } from './network.ts';
import { networkSetCommands } from './network-set.ts';
import { pluginCommands } from './plugin.ts';
import { portsCommands } from './ports.ts';
import { proxyLogsCommands } from './proxy-logs.ts';
import { proxyMetricsCommands } from './proxy-metrics.ts';
import { proxySetCommands } from './proxy-set.ts';
import { psCommands } from './ps.ts';
import { quotaCommands } from './quota.ts';
import { createRegistry, type Registry } from './registry.ts';
import { registryCommands } from './registry-login.ts';
import { releasesCommands } from './releases.ts';
import { repoCommands } from './repo.ts';
import { reportCommand } from './report-all.ts';
import { resourceCommands } from './resource.ts';
import { runCommands } from './run.ts';
import { schedulerCommands } from './scheduler.ts';
import { secretsCommands } from './secrets.ts';
import { sleepCommands } from './sleep.ts';
import { sshKeysCommands } from './ssh-keys.ts';
import { stacksCommands } from './stacks.ts';
import { storageCommands } from './storage.ts';
import { tokensCommands } from './tokens.ts';
import { urlsCommands } from './urls.ts';

/** Every command that Wherry has of itself; a new namespace is one row. */
export function createCoreRegistry(): Registry {
  const registry = createRegistry([
    ...appJsonCommands,
    ...appsCommands,
    ...accessCommands,
    ...autoscaleCommands,
    ...backupCommands,
    ...buildpacksCommands,
    ...builderCommands,
    ...builderDockerfileCommands,
    ...buildsCommands,
    ...certsCommands,
    ...checksCommands,
    ...configCommands,
    ...cronCommands,
    ...diskCommands,
    ...dockerOptionsCommands,
    doctor,
    ...domainsCommands,
    ...errorPagesCommands,
    ...eventsCommands,
    ...gitCommands,
    ...gitFromImageCommands,
    ...gitFromArchiveCommands,
    ...gitDeployKeyCommands,
    ...gitRepositoryCommands,
    ...gitSyncCommands,
    ...gitAuthCommands,
    ...gitAllowHostCommands,
    ...hostCommands,
    ...imageCommands,
    ...letsencryptCommands,
    ...logsCommands,
    ...pluginCommands,
    ...networkCommands,
    ...networkSetCommands,
    ...portsCommands,
    ...proxyLogsCommands,
    ...proxyMetricsCommands,
    ...proxySetCommands,
    ...psCommands,
    ...quotaCommands,
    ...registryCommands,
    ...releasesCommands,
    ...repoCommands,
    ...resourceCommands,
    ...runCommands,
    ...isolationCommands,
    ...schedulerCommands,
    ...secretsCommands,
    ...sleepCommands,
    ...sshKeysCommands,
    ...stacksCommands,
    ...storageCommands,
    ...tokensCommands,
    ...urlsCommands,
    audit,
    cleanup,
    versionCommand,
  ]);
  registry.add(accessCheck(registry));
  registry.add(reportCommand(registry));
  registry.add(completionCommand(registry));
  registry.add(helpCommand(registry));
  return registry;
}

/** The one registry that all front ends of a process read. */
export const registry: Registry = createCoreRegistry();

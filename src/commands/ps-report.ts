import { stoppedTypes } from '../deploy/stopped-types.ts';
import type { App } from '../domain/app.ts';
import { formatBytes } from '../domain/bytes.ts';
import type { InstanceView } from '../runtime/runtime.ts';
import type { Context } from './context.ts';
import { psSettings } from './ps-set.ts';
import { defineReport, type ReportValues } from './report.ts';

/** Newest events of an app that are searched for kills. */
const eventsRead = 200;

type Stats = Awaited<ReturnType<Context['runtime']['stats']>>[number];

export const psReport = defineReport({
  name: 'ps:report',
  summary: 'Show the processes of one app or all: state, memory, restarts, kills',
  description:
    'Memory is what the kernel counts for the instance, against its limit, with the most it ever used. A kill for memory is told with the process, limit and peak.',
  examples: ['ps:report', 'ps:report blog', 'ps:report blog --running', 'ps:report blog --format json'],
  title: 'ps',
  prefix: '',
  async values(context, app) {
    const instances = [...context.runtime.instances(app)].sort(byName);
    const stats = new Map((await context.runtime.stats(app)).map(each => [each.id, each]));
    const release = context.store.releases.live(app);
    return {
      deployed: String(release !== undefined),
      release: release ? `v${release.version}` : '',
      processes: String(instances.length),
      'ps-can-scale': 'true',
      restore: String(!app.stopped),
      'stopped-processes': stoppedTypes(context.store.properties, app).join(' '),
      ...psSettings(context.store.properties, app),
      running: running(instances),
      'busy-until': isoTime(context.leases.busyUntil(app)),
      ...kills(context, app),
      ...Object.assign({}, ...instances.map(each => instanceValues(each, stats.get(each.id)))),
    };
  },
});

function isoTime(milliseconds: number): string {
  return milliseconds === 0 ? '' : new Date(milliseconds).toISOString();
}

function running(instances: readonly InstanceView[]): 'true' | 'false' | 'mixed' {
  const up = instances.filter(each => each.status === 'running').length;
  if (up === 0) return 'false';
  return up === instances.length ? 'true' : 'mixed';
}

function instanceValues(instance: InstanceView, stats: Stats | undefined): ReportValues {
  const { type, index, status, id, restarts, memoryLimit, lastExit } = instance;
  const key = `${type}-${index}`;
  const limit = formatBytes(memoryLimit);
  return {
    [`status-${key}`]: `${status} (CID: ${id})`,
    [`memory-${key}`]: stats
      ? `${formatBytes(stats.memory)} of ${limit}, peak ${formatBytes(stats.memoryPeak)}`
      : `limit ${limit}`,
    ...(stats?.disk && {
      [`disk-${key}`]: `${formatBytes(stats.disk.used)} of ${formatBytes(stats.disk.limit)}`,
    }),
    [`restarts-${key}`]: String(restarts),
    ...(stats && stats.oomKills > 0 ? { [`oom-kills-${key}`]: String(stats.oomKills) } : {}),
    ...(lastExit === undefined ? {} : { [`last-exit-${key}`]: lastExit }),
  };
}

function kills(context: Context, app: App): ReportValues {
  const events = context.store.events.list({ app: app.name, limit: eventsRead });
  const killed = events.filter(event => event.kind === 'oom');
  const last = killed.at(-1);
  return {
    'oom-kills': String(killed.length),
    ...(last ? { 'last-oom-kill': `${last.at.toISOString()} ${last.message}` } : {}),
  };
}

function byName(one: InstanceView, other: InstanceView): number {
  return one.type === other.type ? one.index - other.index : one.type < other.type ? -1 : 1;
}

import { readSchedule } from '../backup/timer.ts';
import { examine, findingLines, hasFailure } from '../doctor/examine.ts';
import { listenersOf } from '../doctor/listeners.ts';
import { backupKey } from '../domain/backup-settings.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary:
    'Examine the host: DNS, ports, disk, database, memory, clock, kernel and certificates, with remedies',
  description:
    'Changes nothing. The exit status is 1 when something fails; warnings leave it 0. On the server itself it also works while the daemon does not run, and then takes the flags of the daemon.',
  examples: ['doctor', 'doctor --format json'],
  args: {},
  access: 'admin',
  effect: 'read',
  async run({ settings, store, clock, dataDir, host, backups }) {
    const domains = store.domains.byApp();
    const apps = store.apps.list();
    const findings = await examine(host, {
      data: dataDir,
      cache: settings.cache,
      isRunning: true,
      listeners: listenersOf(settings),
      domains: [
        { domain: settings.domain, app: 'default' },
        ...apps.flatMap(({ id, name }) =>
          (domains.get(id) ?? [])
            .filter(domain => !domain.endsWith(`.${settings.domain}`))
            .map(domain => ({ domain, app: name })),
        ),
      ],
      certificates: store.certificates
        .all()
        .map(({ names, notAfter, source }) => ({ names, notAfter, isRenewed: source === 'acme' })),
      database: { damage: store.damage() },
      backups: backupState(store, backups),
      now: clock.now(),
    });
    return { healthy: !hasFailure(findings), findings };
  },
  text: ({ findings }) => findingLines(findings),
  exit: ({ healthy }) => (healthy ? 0 : 1),
});

function backupState(store: Context['store'], backups: Context['backups']) {
  const get = (name: 'to' | 'last-good') => store.properties.get('global', backupKey(name));
  const last = backups.last();
  if (get('to') === undefined && last === undefined) return undefined;
  const lastGood = get('last-good');
  return {
    schedule: readSchedule(store)?.schedule,
    error: last?.error,
    lastGood: lastGood === undefined ? undefined : new Date(lastGood),
  };
}

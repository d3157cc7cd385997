import { WherryError } from '../domain/errors.ts';
import { gvisorProgram, isolationKey, isolations, readIsolation } from '../domain/isolation.ts';
import { choice, optional } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const set = defineCommand({
  name: 'isolation:set',
  summary: "Set or, without a value, unset what stands between an app and the host's kernel",
  description:
    'runc, the usual one: namespaces, no capability, a filter of system calls, and users who are nobody outside. gvisor: a kernel of its own in a process, ' +
    "Debian's package runsc, for code that is trusted less; each instance starts slower, takes some 30 MB more, and its threads count as processes. " +
    'It holds from the next deploy or restart on.',
  examples: ['isolation:set blog gvisor', 'isolation:set blog runc', 'isolation:set --global runc'],
  args: { app: appOrGlobal, isolation: optional(choice('isolation', [...isolations, ''])) },
  access: 'admin',
  effect: 'write',
  result: settingDone,
  async run(context, input) {
    const { app } = input;
    const value = input.isolation || undefined;
    if (value === 'gvisor' && (await context.host.version(gvisorProgram, '--version')) === undefined)
      throw new WherryError(
        'unavailable',
        `gVisor is not installed on this host: ${gvisorProgram} is missing.`,
        {
          hint: `apt-get install ${gvisorProgram}`,
        },
      );
    return setProperty(context, {
      app,
      property: isolationKey,
      key: isolationKey,
      value,
      event: 'isolation',
    });
  },
  text: () => [],
});

const report = defineReport({
  name: 'isolation:report',
  summary: "Show what stands between one app or all and the host's kernel",
  description:
    'computed-isolation is what the next instance gets; users says whether its users are others outside: mapped, own where gVisor has its own, host where neither.',
  examples: [
    'isolation:report',
    'isolation:report blog',
    'isolation:report blog --isolation-computed-isolation',
  ],
  title: 'isolation',
  prefix: 'isolation-',
  values: ({ store: { properties }, settings }, app) => {
    const computed = readIsolation(properties.resolve(app.id, isolationKey));
    return {
      [isolationKey]: properties.get(`app:${app.id}`, isolationKey) ?? '',
      [`global-${isolationKey}`]: properties.get('global', isolationKey) ?? '',
      [`computed-${isolationKey}`]: computed,
      users: computed === 'gvisor' ? 'own' : settings.mapUsers ? 'mapped' : 'host',
    };
  },
  global: ({ store: { properties } }) => ({
    [`global-${isolationKey}`]: properties.get('global', isolationKey) ?? '',
  }),
});

export const isolationCommands = [set, report];

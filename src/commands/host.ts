import { freemem, totalmem } from 'node:os';
import { formatBytes } from '../domain/bytes.ts';
import { hostKey, hostSettingNames, hostSettings, usualReserve } from '../domain/host-memory.ts';
import { many, text } from './args.ts';
import { defineCommand } from './define.ts';
import { columns, header } from './lines.ts';
import { readSettingWords, setProperties } from './setting-words.ts';

const set = defineCommand({
  name: 'host:set',
  summary: 'Set how much of the host memory may be promised to apps and builds',
  description: [
    'A setting without value is unset. What runs is never stopped for it; what is to start waits or is refused.',
    ...hostSettingNames.map(name => `${name}: ${hostSettings[name].help}.`),
    'overcommit is 1 unless set: the limits of all instances and builds together never exceed what the host has.',
  ].join(' '),
  examples: ['host:set memory-reserve=1g', 'host:set overcommit=1.5', 'host:set overcommit='],
  args: { settings: many(text('setting=value')) },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const given = readSettingWords(input.settings, hostSettingNames, name => hostSettings[name].parse);
    setProperties(context, { owner: undefined, given, keyOf: hostKey, event: 'host' });
    return Object.fromEntries(given);
  },
  text: () => [],
});

const report = defineCommand({
  name: 'host:report',
  summary: 'Show the memory of the host: what may be promised, what is, and to whom',
  description:
    'An instance is promised its limit, an app at most its quota; one that sleeps deeply is promised nothing. used is what the kernel says that it has.',
  examples: ['host:report', 'host:report --format json'],
  args: {},
  access: 'owner',
  effect: 'read',
  async run(context) {
    const { hostRoom, runtime, store } = context;
    const apps = await Promise.all(
      store.apps.list().map(async app => {
        const instances = runtime.instances(app);
        const awake = instances.filter(({ status }) => status !== 'stopped' && status !== 'asleep');
        const stats = await runtime.stats(app);
        return {
          app: app.name,
          instances: awake.length,
          asleep: runtime.asleep(app) ?? 'no',
          promised: awake.reduce((sum, each) => sum + each.promised, 0),
          used: stats.reduce((sum, { memory }) => sum + memory, 0),
          peak: stats.reduce((sum, { memoryPeak }) => sum + memoryPeak, 0),
        };
      }),
    );
    const stored = store.properties.get('global', hostKey('memory-reserve'));
    return {
      memory: totalmem(),
      free: freemem(),
      reserve: stored ?? formatBytes(usualReserve(totalmem())),
      overcommit: store.properties.get('global', hostKey('overcommit')) ?? hostSettings.overcommit.usual,
      budget: hostRoom.budget,
      promised: hostRoom.taken,
      apps: apps.sort((a, b) => b.promised - a.promised),
    };
  },
  text: ({ memory, free, reserve, overcommit, budget, promised, apps }) => [
    header('Memory of the host'),
    ...columns([
      ['in all', formatBytes(memory)],
      ['free', formatBytes(free)],
      ['kept back (memory-reserve)', reserve],
      ['overcommit', overcommit],
      ['may be promised', formatBytes(budget)],
      ['promised', formatBytes(promised)],
    ]),
    header('Apps'),
    ...columns([
      ['app', 'instances', 'asleep', 'promised', 'used', 'peak'],
      ...apps.map(each => [
        each.app,
        String(each.instances),
        each.asleep,
        ...[each.promised, each.used, each.peak].map(formatBytes),
      ]),
    ]),
  ],
});

export const hostCommands = [set, report];

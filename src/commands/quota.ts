import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { choice, flag, integer, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, clearable, memory } from './kinds.ts';
import { defineReport } from './report.ts';

const amount = {
  memory: clearable(memory),
  processes: clearable(integer('processes', { min: 16, max: 4_194_304 })),
};

const set = defineCommand({
  name: 'quota:set',
  summary: 'Limit what all instances of an app may use together',
  description:
    'Takes effect at once, in the kernel. "clear" removes a quota. Limits of one instance: resource:limit.',
  examples: [
    'quota:set blog --memory 1g --processes 200',
    'quota:set blog memory 1g',
    'quota:set blog --memory clear',
  ],
  args: {
    app,
    property: optional(choice('property', ['memory', 'processes'])),
    value: optional(text('value')),
  },
  flags: {
    memory: flag(optional(amount.memory), { help: 'megabytes, or with a unit as in 512m, 1g' }),
    processes: flag(optional(amount.processes), { help: 'processes and threads at once' }),
  },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const change = changeOf(input);
    if (change.memory === undefined && change.pids === undefined)
      throw new WherryError('usage', 'No quota was named. Give --memory, --processes or both.', {
        hint: `quota:set ${owner.name} --memory 1g`,
      });
    context.progress.header(`Setting quota for ${owner.name}`);
    await context.deployer.quota(owner, change, doing(context));
    if (change.memory !== undefined)
      context.progress.detail(`memory: ${change.memory === null ? 'none' : formatBytes(change.memory)}`);
    if (change.pids !== undefined) context.progress.detail(`processes: ${change.pids ?? 'none'}`);
    const quota = context.store.limits.quota(owner);
    return { app: owner.name, memory: quota.memory, processes: quota.pids };
  },
  text: () => [],
});

const report = defineReport({
  name: 'quota:report',
  summary: 'Show the quota of one app or all, and what is in use',
  examples: ['quota:report', 'quota:report blog --quota-memory'],
  title: 'quota',
  prefix: 'quota-',
  async values(context, each) {
    const quota = context.store.limits.quota(each);
    const stats = await context.runtime.stats(each);
    return {
      memory: quota.memory === null ? '' : formatBytes(quota.memory),
      'memory-in-use': formatBytes(stats.reduce((sum, one) => sum + one.memory, 0)),
      processes: quota.pids === null ? '' : String(quota.pids),
    };
  },
});

export const quotaCommands = [set, report];

/** From flags, or dokku's `property value`, where no value unsets. */
function changeOf(input: {
  memory: number | null | undefined;
  processes: number | null | undefined;
  property: 'memory' | 'processes' | undefined;
  value: string | undefined;
}): { memory?: number | null; pids?: number | null } {
  const named = input.property && { [input.property]: amount[input.property].parse(input.value || 'clear') };
  const { memory, processes } = { memory: input.memory, processes: input.processes, ...named };
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(processes === undefined ? {} : { pids: processes }),
  };
}

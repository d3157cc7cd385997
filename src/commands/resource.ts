import { formatBytes } from '../domain/bytes.ts';
import { everyType, resolveLimits } from '../store/limits.ts';
import { flag, optional } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, clearable, cpus, limitedType, memory } from './kinds.ts';
import { detail, header } from './lines.ts';
import { defineReport, type ReportValues } from './report.ts';

const limit = defineCommand({
  name: 'resource:limit',
  summary: 'Show or set memory and CPU limits of the instances of an app',
  description:
    'Without options it shows them. Takes effect at once, in the kernel, for what runs (dokku waits for the next deploy). A limit below what is in use is refused. Without --process-type it is for every process that has no limit of its own; 512m of memory unless set.',
  examples: [
    'resource:limit blog',
    'resource:limit --memory 256m blog',
    'resource:limit --process-type worker --memory 1g --cpu 1.5 blog',
    'resource:limit --cpu clear blog',
  ],
  args: { app },
  flags: {
    memory: flag(optional(clearable(memory)), {
      help: 'megabytes, or with a unit as in 512m, 1g; "clear" removes it',
    }),
    cpu: flag(optional(clearable(cpus)), { help: 'number of CPUs, as in 1.5; "clear" removes it' }),
    processType: flag(optional(limitedType), { help: 'only this process' }),
  },
  access: { app: 'write' },
  effect: 'write',
  looksOnly: input => input.memory === undefined && input.cpu === undefined,
  async run(context, input) {
    const owner = context.app(input.app);
    const type = input.processType ?? everyType;
    if (input.memory !== undefined || input.cpu !== undefined) {
      const about = type === everyType ? '' : ` (${type})`;
      context.progress.header(`Setting resource limits for ${owner.name}${about}`);
      const { memory, cpu } = input;
      const change = {
        ...(memory === undefined ? {} : { memory }),
        ...(cpu === undefined ? {} : { cpus: cpu }),
      };
      await context.deployer.limit(owner, type, change, doing(context));
      if (memory !== undefined) context.progress.detail(`memory: ${shownLimit(memory, formatBytes)}`);
      if (cpu !== undefined) context.progress.detail(`cpu: ${shownLimit(cpu, String)}`);
    }
    const row = context.store.limits.rows(owner).find(each => each.type === type);
    return { app: owner.name, type, memory: row?.memory ?? null, cpu: row?.cpus ?? null };
  },
  text(result, input) {
    if (input.memory !== undefined || input.cpu !== undefined) return [];
    const about = result.type === everyType ? '' : ` (${result.type})`;
    return [
      header(`resource limits ${result.app}${about} information`),
      detail(`memory: ${shownLimit(result.memory, formatBytes)}`),
      detail(`cpu: ${shownLimit(result.cpu, String)}`),
    ];
  },
});

const report = defineReport({
  name: 'resource:report',
  summary: 'Show the resource limits of one app or all, as set and as they work out',
  examples: ['resource:report blog', 'resource:report blog --resource-_default_.limit.memory'],
  title: 'resource',
  prefix: 'resource-',
  values: (context, each) => ({ ...asSet(context, each), ...computed(context, each) }),
});

export const resourceCommands = [limit, report];

function asSet(context: Context, app: Parameters<Context['store']['limits']['rows']>[0]): ReportValues {
  const rows = context.store.limits.rows(app);
  const all = rows.some(row => row.type === everyType)
    ? rows
    : [{ type: everyType, memory: null, cpus: null }, ...rows];
  return Object.fromEntries(
    all.flatMap(row => [
      [`${row.type}.limit.memory`, row.memory === null ? '' : formatBytes(row.memory)],
      [`${row.type}.limit.cpu`, row.cpus === null ? '' : String(row.cpus)],
    ]),
  );
}

/** What each process of the app gets. */
function computed(context: Context, app: Parameters<Context['store']['limits']['rows']>[0]): ReportValues {
  const rows = context.store.limits.rows(app);
  return Object.fromEntries(
    [...context.deployer.counts(app).keys()].flatMap(type => {
      const limits = resolveLimits(rows, type);
      return [
        [`computed-${type}.limit.memory`, formatBytes(limits.memory)],
        [`computed-${type}.limit.cpu`, limits.cpus === undefined ? '' : String(limits.cpus)],
      ];
    }),
  );
}

function shownLimit(value: number | null, show: (value: number) => string): string {
  return value === null ? 'none' : show(value);
}

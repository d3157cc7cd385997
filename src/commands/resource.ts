import type { App } from '../domain/app.ts';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import {
  promisedMemory,
  type Reservations,
  readReservations,
  reservationsKey,
} from '../domain/reservation.ts';
import { everyType, resolveLimits } from '../store/limits.ts';
import { flag, optional } from './args.ts';
import type { Context } from './context.ts';
import { type Command, defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, clearable, cpus, disk, limitedType, memory } from './kinds.ts';
import { detail, header } from './lines.ts';
import { defineReport, type ReportValues } from './report.ts';

const limit = resourceCommand({
  verb: 'limit',
  title: 'limits',
  summary: 'Show or set memory, CPU and disk limits of the instances of an app',
  description:
    'Without options it shows them. Takes effect at once, in the kernel, for what runs (dokku waits for the next deploy). A limit below what is in use is refused. Without --process-type it is for every process that has no limit of its own; 512m of memory unless set. --disk is for what an instance writes beside storage, /tmp too: what is above fails as on a full disk, and is told; none unless set, and from the next deploy or restart on.',
  examples: [
    'resource:limit blog',
    'resource:limit --memory 256m blog',
    'resource:limit --process-type worker --memory 1g --cpu 1.5 blog',
    'resource:limit --disk 1g blog',
    'resource:limit --cpu clear blog',
  ],
  change: (context, owner, type, change) => context.deployer.limit(owner, type, change, doing(context)),
  now: (context, owner, type) => context.store.limits.rows(owner).find(each => each.type === type),
});

const reserve = resourceCommand({
  verb: 'reserve',
  title: 'reservation',
  summary: 'Show or set what the host keeps for the instances of an app, where that is not their limit',
  description:
    'Without options it shows it. The host never promises more memory than it has: each instance counts with what is reserved for it, with its limit where nothing is. Reserving less than the limit lets more apps run than could all reach their limits at once. Holds at once for what runs. --cpu is kept for dokku’s scripts, and shown; nothing is promised of CPUs.',
  examples: [
    'resource:reserve blog',
    'resource:reserve --memory 128m blog',
    'resource:reserve --process-type worker --memory 256m blog',
    'resource:reserve --memory clear blog',
  ],
  change: (context, owner, type, change) => context.deployer.reserve(owner, type, change, doing(context)),
  now: (context, owner, type) => reservations(context, owner)[type],
});

const [limitClear, reserveClear] = (['limit', 'reserve'] as const).map(what =>
  defineCommand({
    name: `resource:${what}-clear`,
    summary:
      what === 'limit'
        ? 'Take the limits of an app, or of one of its processes, away'
        : 'Take what is reserved for an app, or for one of its processes, away',
    description:
      'Without --process-type what is set for every process; what single processes have of their own stays. Holds at once for what runs.',
    examples: [`resource:${what}-clear blog`, `resource:${what}-clear --process-type worker blog`],
    args: { app },
    flags: { processType: flag(optional(limitedType), { help: 'only this process' }) },
    access: { app: 'write' },
    effect: 'write',
    async run(context, input) {
      const owner = context.app(input.app);
      const type = input.processType ?? everyType;
      const about = type === everyType ? '' : ` (${type})`;
      const word = what === 'limit' ? 'limits' : 'reservation';
      context.progress.header(`Clearing resource ${word} for ${owner.name}${about}`);
      const change = { memory: null, cpus: null };
      if (what === 'limit')
        await context.deployer.limit(owner, type, { ...change, disk: null }, doing(context));
      else await context.deployer.reserve(owner, type, change, doing(context));
      return { app: owner.name, type };
    },
    text: () => [],
  }),
) as [Command, Command];

const report = defineReport({
  name: 'resource:report',
  summary: 'Show the resource limits and reservations of one app or all, as set and as they work out',
  examples: ['resource:report blog', 'resource:report blog --resource-_default_.limit.memory'],
  title: 'resource',
  prefix: 'resource-',
  values: (context, each) => ({
    ...asSet(context, each),
    ...reserved(context, each),
    ...computed(context, each),
  }),
});

export const resourceCommands = [limit, limitClear, reserve, reserveClear, report];

function reservations({ store }: Context, { id }: App): Reservations {
  return readReservations(store.properties.get(`app:${id}`, reservationsKey));
}

function reserved(context: Context, each: App): ReportValues {
  return Object.fromEntries(
    Object.entries(reservations(context, each)).flatMap(([type, { memory: bytes, cpus: count }]) => [
      [`${type}.reserve.memory`, bytes === undefined ? '' : formatBytes(bytes)],
      [`${type}.reserve.cpu`, count === undefined ? '' : String(count)],
    ]),
  );
}

function asSet(context: Context, app: App): ReportValues {
  const rows = context.store.limits.rows(app);
  const all = rows.some(row => row.type === everyType)
    ? rows
    : [{ type: everyType, memory: null, cpus: null, disk: null }, ...rows];
  return Object.fromEntries(
    all.flatMap(row => [
      [`${row.type}.limit.memory`, row.memory === null ? '' : formatBytes(row.memory)],
      [`${row.type}.limit.cpu`, row.cpus === null ? '' : String(row.cpus)],
      ...(row.disk === null ? [] : [[`${row.type}.limit.disk`, formatBytes(row.disk)] as const]),
    ]),
  );
}

/** What each process of the app gets. */
function computed(context: Context, app: App): ReportValues {
  const rows = context.store.limits.rows(app);
  return Object.fromEntries(
    [...context.deployer.counts(app).keys()].flatMap(type => {
      const limits = resolveLimits(rows, type);
      return [
        [`computed-${type}.limit.memory`, formatBytes(limits.memory)],
        [`computed-${type}.limit.cpu`, limits.cpus === undefined ? '' : String(limits.cpus)],
        ...(limits.disk === undefined
          ? []
          : [[`computed-${type}.limit.disk`, formatBytes(limits.disk)] as const]),
        [
          `computed-${type}.reserve.memory`,
          formatBytes(promisedMemory(reservations(context, app), type, everyType, limits.memory)),
        ],
      ];
    }),
  );
}

function shownLimit(value: number | null, show: (value: number) => string): string {
  return value === null ? 'none' : show(value);
}

type Sizes = {
  readonly memory?: number | null;
  readonly cpus?: number | null;
  readonly disk?: number | null;
};

type Resource = {
  readonly verb: 'limit' | 'reserve';
  /** As headers name it: `resource limits blog information`, `Setting resource limits for blog`. */
  readonly title: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  change(context: Context, owner: App, type: string, change: Sizes): Promise<unknown>;
  now(context: Context, owner: App, type: string): Sizes | undefined;
};

function shows({ memory, cpu, disk }: { memory: unknown; cpu: unknown; disk: unknown }): boolean {
  return memory === undefined && cpu === undefined && disk === undefined;
}

/** What is set for the instances of an app in memory and processors; without options it shows that. */
function resourceCommand({ verb, title, change, now, ...words }: Resource): Command {
  const aboutType = (type: string) => (type === everyType ? '' : ` (${type})`);
  return defineCommand({
    name: `resource:${verb}`,
    ...words,
    args: { app },
    flags: {
      memory: flag(optional(clearable(memory)), {
        help: 'megabytes, or with a unit as in 512m, 1g; "clear" removes it',
      }),
      cpu: flag(optional(clearable(cpus)), { help: 'number of CPUs, as in 1.5; "clear" removes it' }),
      disk: flag(optional(clearable(disk)), {
        help: 'limit of what is written beside storage, as in 1g; "clear" removes it',
      }),
      processType: flag(optional(limitedType), { help: 'only this process' }),
    },
    access: { app: 'write' },
    effect: 'write',
    looksOnly: shows,
    async run(context, input) {
      const owner = context.app(input.app);
      const type = input.processType ?? everyType;
      const { memory, cpu, disk } = input;
      if (disk !== undefined && verb === 'reserve')
        throw new WherryError(
          'invalid',
          `Disk is not reserved. Limit it: resource:limit --disk 1g ${owner.name}`,
        );
      if (!shows(input)) {
        context.progress.header(`Setting resource ${title} for ${owner.name}${aboutType(type)}`);
        await change(context, owner, type, {
          ...(memory === undefined ? {} : { memory }),
          ...(cpu === undefined ? {} : { cpus: cpu }),
          ...(disk === undefined ? {} : { disk }),
        });
        if (memory !== undefined) context.progress.detail(`memory: ${shownLimit(memory, formatBytes)}`);
        if (cpu !== undefined) context.progress.detail(`cpu: ${shownLimit(cpu, String)}`);
        if (disk !== undefined)
          context.progress.detail(
            `disk: ${shownLimit(disk, formatBytes)}, from the next deploy or restart on`,
          );
      }
      const found = now(context, owner, type);
      return {
        app: owner.name,
        type,
        memory: found?.memory ?? null,
        cpu: found?.cpus ?? null,
        ...(found?.disk == null ? {} : { disk: found.disk }),
      };
    },
    text(result, input) {
      if (!shows(input)) return [];
      return [
        header(`resource ${title} ${result.app}${aboutType(result.type)} information`),
        detail(`memory: ${shownLimit(result.memory, formatBytes)}`),
        detail(`cpu: ${shownLimit(result.cpu, String)}`),
        ...(result.disk === undefined ? [] : [detail(`disk: ${formatBytes(result.disk)}`)]),
      ];
    },
  });
}

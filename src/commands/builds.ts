import type { App } from '../domain/app.ts';
import { buildPropertyKey, buildPropertyNames, shownProperty } from '../domain/build-limits.ts';
import { type Kept, keeping, keptOf, keptProperty } from '../domain/keep.ts';
import type { Build } from '../store/builds.ts';
import { type ArgKind, asInteger, flag, integer, withDefault } from './args.ts';
import { buildsExplain } from './builds-explain.ts';
import { buildsSet } from './builds-set.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { columns, detail, header, heading } from './lines.ts';
import { defineReport } from './report.ts';

type Which = number | 'current';

const build: ArgKind<Which> = withDefault<Which>(
  {
    word: 'build',
    required: true,
    schema: { type: 'string', pattern: '^(current|[0-9]+)$' },
    parse: value =>
      value === 'current' ? value : asInteger(value, { word: 'build', min: 1, max: 999_999_999 }),
  },
  'current',
);

const list = defineCommand({
  name: 'builds:list',
  summary: 'List the builds and deploys of an app, newest first',
  description: `The newest ${keeping.retention.usual} are kept, or as many as builds:set says. A deploy rolls out an image that exists: after config changed, or a rollback.`,
  examples: ['builds:list blog', 'builds:list blog --format json'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) =>
    context.store.builds.list(context.app(input.app)).map(found => shown(context, found)),
  text(builds, input) {
    const rows = builds.map(each => [
      String(each.build),
      each.kind,
      each.status,
      each.release === null ? '-' : `v${each.release}`,
      each.commit?.slice(0, 7) ?? '-',
      each.started_at,
      seconds(each.duration),
      each.actor,
    ]);
    const [head = '', ...lines] = columns([
      ['build', 'kind', 'status', 'release', 'commit', 'started', 'took', 'by'],
      ...rows,
    ]);
    return [header(`${input.app} builds`), heading(head), ...lines];
  },
});

const info = defineCommand({
  name: 'builds:info',
  summary: 'Show one build: who, when, how it ended and why',
  description: 'Without a number: the one that runs, or the last.',
  examples: ['builds:info blog 3', 'builds:info blog'],
  args: { app, build },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => shown(context, context.builds.find(context.app(input.app), input.build)),
  text: (found, input) => [
    header(`${input.app} build ${found.build}`),
    ...columns([
      ['Kind:', found.kind],
      ['Status:', found.status],
      ['Commit:', found.commit ?? '-'],
      ['Release:', found.release === null ? '-' : `v${found.release}`],
      ['Started:', `${found.started_at} by ${found.actor}`],
      ['Took:', seconds(found.duration)],
      ['Reason:', found.reason ?? '-'],
    ]).map(detail),
  ],
});

const output = defineCommand({
  name: 'builds:output',
  summary: 'Show what a build printed, and go on while it runs',
  description:
    'From its beginning, for any number of people: after a lost connection ask again. Without a number: the one that runs, or the last.',
  examples: ['builds:output blog current', 'builds:output blog 3'],
  args: { app, build },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  run: (context, input) => context.builds.output(context.app(input.app), input.build, context.signal),
  text: line => [line],
});

const cancel = defineCommand({
  name: 'builds:cancel',
  summary: 'Stop the build that runs; what ran before runs on',
  description: 'The push that it came from is refused. Returns when nothing of the build is left.',
  examples: ['builds:cancel blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  // The build that is to stop holds the lock.
  looksOnly: () => true,
  async run(context, input) {
    const owner = context.app(input.app);
    const ended = await context.builds.cancel(owner, context.actor);
    if (ended.status === 'canceled') tell(context, owner, 'cancel', `Canceled build ${ended.number}`);
    return shown(context, ended);
  },
  text: ended => [
    ended.status === 'canceled'
      ? `Build ${ended.build} is canceled`
      : `Build ${ended.build} could not be canceled any more: it is ${ended.status}`,
  ],
});

const prune = defineCommand({
  name: 'builds:prune',
  summary: 'Delete records and output of old builds',
  description: 'Releases and their images stay; see releases.',
  examples: ['builds:prune blog', 'builds:prune blog --keep 5'],
  args: { app },
  flags: {
    keep: flag(withDefault(integer('builds', { min: 1, max: keeping.retention.max }), 1), {
      help: 'how many to keep',
    }),
  },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) => ({
    app: input.app,
    deleted: context.builds.prune(context.app(input.app), input.keep),
  }),
  text: ({ deleted }) => [`Deleted ${deleted} ${deleted === 1 ? 'build' : 'builds'}`],
});

const report = defineReport({
  name: 'builds:report',
  summary: 'Show how the builds of one app or all went',
  examples: ['builds:report blog', 'builds:report blog --builds-last-status'],
  title: 'builds',
  prefix: 'builds-',
  values(context, each) {
    const all = context.store.builds.list(each);
    const [last] = all;
    const current = all.find(({ status }) => status === 'running');
    return {
      count: String(all.length),
      current: current ? String(current.number) : '',
      'last-number': last ? String(last.number) : '',
      'last-status': last?.status ?? '',
      'last-started-at': last?.startedAt.toISOString() ?? '',
      retention: own(context, each, 'retention'),
      'computed-retention': String(context.builds.kept(each)),
      'global-retention': global(context, 'retention'),
      'keep-releases': own(context, each, 'keep-releases'),
      'computed-keep-releases': String(
        keptOf('keep-releases', context.store.properties.resolve(each.id, keptProperty('keep-releases'))),
      ),
      'global-keep-releases': global(context, 'keep-releases'),
      ...limits(context, each),
    };
  },
});

export const buildsCommands = [list, info, output, buildsExplain, cancel, prune, buildsSet, report];

function own(context: Context, { id }: App, what: Kept): string {
  return context.store.properties.get(`app:${id}`, keptProperty(what)) ?? '';
}

function global(context: Context, what: Kept): string {
  return String(keptOf(what, context.store.properties.get('global', keptProperty(what))));
}

/** The app's own limits of builds, those that hold, and those of all apps. */
function limits({ store: { properties } }: Context, { id }: App): Record<string, string> {
  const entries = buildPropertyNames.flatMap(property => {
    const key = buildPropertyKey(property);
    const held = (stored: string | undefined) => shownProperty(property, stored);
    return [
      [property, properties.get(`app:${id}`, key) ?? ''],
      [`computed-${property}`, held(properties.resolve(id, key))],
      [`global-${property}`, held(properties.get('global', key))],
    ];
  });
  return Object.fromEntries(entries);
}

/** `duration` in milliseconds, of one that runs so far. */
function shown(context: Context, found: Build) {
  const { number, kind, status, actor, commit, release, reason, startedAt, endedAt } = found;
  return {
    build: number,
    kind,
    status,
    actor,
    commit,
    release,
    reason,
    started_at: startedAt.toISOString(),
    ended_at: endedAt?.toISOString() ?? null,
    duration: (endedAt ?? context.clock.now()).getTime() - startedAt.getTime(),
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

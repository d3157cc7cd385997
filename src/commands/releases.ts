import type { Release } from '../domain/release.ts';
import { optional } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, version } from './kinds.ts';
import { columns, detail, header, heading, step } from './lines.ts';
import { aList, aMap, anInteger, aRecord, aText, aTime, orNull } from './results.ts';

type Shown = {
  readonly version: number;
  readonly status: string;
  readonly description: string;
  readonly actor: string;
  readonly commit: string | null;
  readonly createdAt: string;
};

const shownFields = {
  version: anInteger,
  status: aText,
  description: aText,
  actor: aText,
  commit: orNull(aText),
  createdAt: aTime,
};
const aRelease = aRecord(shownFields);

const list = defineCommand({
  name: 'releases',
  summary: 'List the releases of an app, newest first',
  examples: ['releases blog', 'releases blog --format json'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  result: aList(aRelease),
  run: (context, input) => context.store.releases.list(context.app(input.app)).map(toShown),
  text(releases, input) {
    const rows = releases.map(each => [
      `v${each.version}`,
      each.status,
      each.commit?.slice(0, 7) ?? '-',
      each.createdAt,
      each.actor,
      each.description,
    ]);
    const [head = '', ...lines] = columns([
      ['release', 'status', 'commit', 'created', 'by', 'what'],
      ...rows,
    ]);
    return [header(`${input.app} releases`), heading(head), ...lines];
  },
});

const info = defineCommand({
  name: 'releases:info',
  summary: 'Show one release: commit, image, processes, names of config variables',
  description: 'Of config only the names are shown. Without a version: the live release.',
  examples: ['releases:info blog v3', 'releases:info blog'],
  args: { app, version: optional(version) },
  access: { app: 'read' },
  effect: 'read',
  result: aRecord({
    ...shownFields,
    image: aText,
    processes: aMap(aList(aText)),
    config: aList(aText),
  }),
  run(context, input) {
    const { store } = context;
    const owner = context.app(input.app);
    const newest = () => store.releases.live(owner) ?? store.releases.list(owner)[0];
    const release = input.version === undefined ? newest() : undefined;
    const found = release ?? store.releases.get(owner, input.version ?? 1);
    const image = store.images.get(found.image);
    return {
      ...toShown(found),
      image: found.image,
      processes: Object.fromEntries(image.processes.map(each => [each.type, each.command])),
      config: Object.keys(store.releases.config(found)),
    };
  },
  text: (release, input) => [
    header(`${input.app} v${release.version}`),
    ...columns([
      ['Status:', release.status],
      ['Commit:', release.commit ?? '-'],
      ['Created:', `${release.createdAt} by ${release.actor}`],
      ['What:', release.description],
      ['Image:', release.image],
      ['Config:', release.config.join(' ') || '-'],
      ...Object.entries(release.processes).map(([type, command]) => [`${type}:`, command.join(' ')]),
    ]).map(detail),
  ],
});

const rollback = defineCommand({
  name: 'rollback',
  aliases: ['releases:rollback'],
  summary: 'Bring back an older release: image, config and processes together',
  description: 'It becomes a new release. Without a version: the one before the live one.',
  examples: ['rollback blog', 'rollback blog v3'],
  args: { app, version: optional(version) },
  access: { app: 'deploy' },
  effect: 'write',
  result: aRelease,
  run: async (context, input) =>
    toShown(await context.deployer.rollback(context.app(input.app), input.version, doing(context))),
  text: (release, input) => [step(`${input.app} v${release.version} is live: ${release.description}`)],
});

export const releasesCommands = [list, info, rollback];

function toShown(release: Release): Shown {
  const { version, status, description, actor, commit, createdAt } = release;
  return { version, status, description, actor, commit, createdAt: createdAt.toISOString() };
}

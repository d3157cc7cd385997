import { sourceOf } from '../deploy/source.ts';
import type { App } from '../domain/app.ts';
import {
  type ArchiveProperty,
  archiveKey,
  archiveProperties,
  parseArchiveLimit,
  shownArchiveLimit,
} from '../domain/archive-limits.ts';
import { WherryError } from '../domain/errors.ts';
import { type AppName, quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText, optional, shown } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingWords } from './set-property.ts';

const properties = ['deploy-branch', ...archiveProperties] as const;

const property: ArgKind<(typeof properties)[number]> = {
  word: 'property',
  required: true,
  schema: { enum: properties },
  parse(value) {
    const found = properties.find(name => name === value);
    if (found === undefined)
      throw new WherryError(
        'invalid',
        `Invalid property specified, valid properties include: ${properties.join(', ')}`,
      );
    return found;
  },
};

const set = defineCommand({
  name: 'git:set',
  summary: 'Set or, without a value, unset a git property of an app or of all',
  description:
    'deploy-branch, of an app: the branch whose pushes build; unset, the next branch that is pushed becomes it. archive-max-files and archive-max-size: what an archive may hold that git:from-archive deploys.',
  examples: [
    'git:set blog deploy-branch main',
    'git:set blog deploy-branch',
    'git:set --global archive-max-size 2g',
  ],
  args: {
    app: appOrGlobal,
    property,
    value: optional<string>({
      word: 'value',
      required: false,
      schema: { type: 'string' },
      parse: value => asText(value, 'value'),
    }),
  },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    if (input.property !== 'deploy-branch') return setLimit(context, { ...input, property: input.property });
    if (input.app === undefined)
      throw new WherryError(
        'invalid',
        'The deploy branch is set for one app at a time. Name it in place of --global.',
      );
    const owner = context.app(input.app);
    const branch = input.value === undefined || input.value === '' ? null : parseBranch(input.value);
    context.store.apps.setDeployBranch(owner, branch);
    const words = settingWords(input.property, branch);
    context.progress.header(words);
    tell(context, owner, 'git', words);
    return { app: owner.name, [input.property]: branch };
  },
  text: () => [],
});

const report = defineReport({
  name: 'git:report',
  summary: 'Show the deploy branch, the last pushed commit and the source image of one app or all',
  examples: ['git:report blog', 'git:report blog --git-deploy-branch'],
  title: 'git',
  prefix: 'git-',
  async values(context, each) {
    const sha = each.deployBranch === null ? null : await context.receiver.head(each.name, each.deployBranch);
    const release = context.store.releases.live(each);
    return {
      'deploy-branch': each.deployBranch ?? '',
      'last-updated-at': (release?.commit ?? release?.sourceImage) ? release.createdAt.toISOString() : '',
      sha: sha ?? '',
      source: sourceOf(context.store.properties, each, sha) ?? '',
      'source-image': release?.sourceImage ?? '',
      ...limitsFor(context.store, each),
    };
  },
});

export const gitCommands = [set, report];

function setLimit(
  context: Context,
  {
    app,
    property,
    value,
  }: { app: AppName | undefined; property: ArchiveProperty; value: string | undefined },
) {
  const limit = value === undefined || value === '' ? undefined : parseArchiveLimit(property, value);
  return setProperty(context, { app, property, key: archiveKey(property), value: limit, event: 'git' });
}

/** Set for the app, for all, and what holds. */
function limitsFor({ properties: stored }: Context['store'], app: App): Record<string, string> {
  const shown = (property: ArchiveProperty, value: string | undefined) =>
    value === undefined ? '' : shownArchiveLimit(property, value);
  return Object.fromEntries(
    archiveProperties.flatMap(property => {
      const key = archiveKey(property);
      return [
        [property, shown(property, stored.get(`app:${app.id}`, key))],
        [`global-${property}`, shown(property, stored.get('global', key))],
        [`computed-${property}`, shownArchiveLimit(property, stored.resolve(app.id, key))],
      ];
    }),
  );
}

/** The rules of git-check-ref-format for one branch name, shortened to what people use. @throws invalid */
function parseBranch(text: string): string {
  const name = text.replace(/^refs\/heads\//, '');
  const fits =
    /^[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,199}$/.test(name) &&
    !/\.\.|\/\/|\/\.|@\{|\.lock(\/|$)|[./]$/.test(name);
  if (!fits)
    throw new WherryError(
      'invalid',
      `Branch ${quoteForPeople(text)} is not a branch name. Give for example "main".`,
      {
        hint: `What was given: ${shown(text)}`,
      },
    );
  return name;
}

import { sourceOf } from '../deploy/source.ts';
import { setSourceImage, sourceImageOf } from '../deploy/source-image.ts';
import type { App } from '../domain/app.ts';
import {
  type ArchiveProperty,
  archiveKey,
  archiveProperties,
  parseArchiveLimit,
  shownArchiveLimit,
} from '../domain/archive-limits.ts';
import { WherryError } from '../domain/errors.ts';
import { gitSettings, parseBranch } from '../domain/git-settings.ts';
import { parseImageRef } from '../domain/image-ref.ts';
import type { AppName } from '../domain/names.ts';
import { type ArgKind, asText, optional } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone, settingWords } from './set-property.ts';

const properties = [
  'deploy-branch',
  'keep-git-dir',
  'rev-env-var',
  'source-image',
  ...archiveProperties,
] as const;

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
    'deploy-branch: the branch whose pushes build; unset, the next branch that is pushed becomes it. With --global, what apps that are made from now on have. rev-env-var: the variable that tells processes their commit, GIT_REV unless set, from the next start on. keep-git-dir: whether builds find git’s own folder at the root of the files (false), with the commits and tags that led to theirs. source-image: the image that ps:rebuild pulls and deploys in place of the last commit, until the next deploy; unset, the last commit again. archive-max-files and archive-max-size: what an archive may hold that git:from-archive deploys.',
  examples: [
    'git:set blog deploy-branch main',
    'git:set blog deploy-branch',
    'git:set --global deploy-branch main',
    'git:set blog rev-env-var COMMIT',
    'git:set blog keep-git-dir true',
    'git:set blog source-image ghcr.io/team/blog:2',
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
  result: settingDone,
  run(context, input) {
    const { app, property: name, value: given } = input;
    const value = given === '' ? undefined : given;
    if (name === 'deploy-branch' && app !== undefined) return setBranch(context, app, value);
    if (name === 'source-image') return setImage(context, app, value);
    if (!isPlain(name)) return setLimit(context, { app, property: name, value });
    const { key, parse } = gitSettings[name];
    const checked = value === undefined ? undefined : parse(value);
    return setProperty(context, { app, property: name, key, value: checked, event: 'git' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'git:report',
  summary: 'Show the deploy branch, the last pushed commit and the source of one app or all',
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
      'source-image': sourceImageOf(context.store, each) ?? '',
      ...settingsFor(context.store, each),
      ...limitsFor(context.store, each),
    };
  },
});

export const gitCommands = [set, report];

/** Of an app it is kept with the app, as a push sets it. */
function setBranch(context: Context, name: AppName, value: string | undefined) {
  const owner = context.app(name);
  const branch = value === undefined ? null : parseBranch(value);
  context.store.apps.setDeployBranch(owner, branch);
  const words = settingWords('deploy-branch', branch);
  context.progress.header(words);
  tell(context, owner, 'git', words);
  return { app: owner.name, 'deploy-branch': branch };
}

/** Of an app alone: what the next rebuild deploys. */
function setImage(context: Context, name: AppName | undefined, value: string | undefined) {
  if (name === undefined) throw new WherryError('invalid', 'Property cannot be specified globally');
  const owner = context.app(name);
  const image = value === undefined ? undefined : parseImageRef(value).text;
  setSourceImage(context.store, owner, image);
  const words = settingWords('source-image', image);
  context.progress.header(words);
  tell(context, owner, 'git', words);
  return { app: owner.name, 'source-image': image ?? null };
}

function isPlain(name: (typeof properties)[number]): name is keyof typeof gitSettings {
  return Object.hasOwn(gitSettings, name);
}

function settingsFor({ properties: stored }: Context['store'], app: App): Record<string, string> {
  const common = stored.get('global', gitSettings['deploy-branch'].key) ?? '';
  const plain = (['keep-git-dir', 'rev-env-var'] as const).flatMap(name => {
    const { key, usual } = gitSettings[name];
    return [
      [name, stored.get(`app:${app.id}`, key) ?? ''],
      [`global-${name}`, stored.get('global', key) ?? ''],
      [`computed-${name}`, stored.resolve(app.id, key) ?? usual],
    ];
  });
  return {
    'global-deploy-branch': common,
    'computed-deploy-branch': app.deployBranch ?? '',
    ...Object.fromEntries(plain),
  };
}

function setLimit(
  context: Context,
  {
    app,
    property,
    value,
  }: { app: AppName | undefined; property: ArchiveProperty; value: string | undefined },
) {
  const limit = value === undefined ? undefined : parseArchiveLimit(property, value);
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

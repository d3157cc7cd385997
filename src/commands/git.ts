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
import { gitSettings, parseBranch } from '../domain/git-settings.ts';
import type { AppName } from '../domain/names.ts';
import { type ArgKind, asText, optional } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingWords } from './set-property.ts';

const properties = ['deploy-branch', 'rev-env-var', ...archiveProperties] as const;

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
    'deploy-branch: the branch whose pushes build; unset, the next branch that is pushed becomes it. With --global, what apps that are made from now on have. rev-env-var: the variable that tells processes their commit, GIT_REV unless set, from the next start on. archive-max-files and archive-max-size: what an archive may hold that git:from-archive deploys.',
  examples: [
    'git:set blog deploy-branch main',
    'git:set blog deploy-branch',
    'git:set --global deploy-branch main',
    'git:set blog rev-env-var COMMIT',
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
    const { app, property: name, value: given } = input;
    const value = given === '' ? undefined : given;
    if (name === 'deploy-branch' && app !== undefined) return setBranch(context, app, value);
    if (name !== 'deploy-branch' && name !== 'rev-env-var')
      return setLimit(context, { app, property: name, value });
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
      'source-image': release?.sourceImage ?? '',
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

function settingsFor({ properties: stored }: Context['store'], app: App): Record<string, string> {
  const [branch, revision] = [gitSettings['deploy-branch'].key, gitSettings['rev-env-var']];
  const common = stored.get('global', branch) ?? '';
  return {
    'global-deploy-branch': common,
    'computed-deploy-branch': app.deployBranch ?? '',
    'rev-env-var': stored.get(`app:${app.id}`, revision.key) ?? '',
    'global-rev-env-var': stored.get('global', revision.key) ?? '',
    'computed-rev-env-var': stored.resolve(app.id, revision.key) ?? revision.usual,
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

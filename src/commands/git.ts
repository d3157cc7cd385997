import { sourceOf } from '../deploy/source.ts';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText, optional, shown } from './args.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { defineReport } from './report.ts';
import { settingWords } from './set-property.ts';

const properties = ['deploy-branch'] as const;

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
  summary: 'Set or, without a value, unset a git property of an app',
  description:
    'deploy-branch: the branch whose pushes build; unset, the next branch that is pushed becomes it.',
  examples: ['git:set blog deploy-branch main', 'git:set blog deploy-branch'],
  args: {
    app,
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
    };
  },
});

export const gitCommands = [set, report];

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

import type { App } from '../domain/app.ts';
import type { BuildpackSource } from '../domain/buildpack-source.ts';
import { WherryError } from '../domain/errors.ts';
import { flag, many, optional, toggle } from './args.ts';
import { branch, buildpack, index, mostBuildpacks, property, stackName } from './buildpacks-args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { doing, tell } from './doing.ts';
import { app } from './kinds.ts';
import { detail, header } from './lines.ts';
import { defineReport } from './report.ts';

const kinds =
  'A buildpack is a git repository by https with `#branch`, `#tag` or `#commit`, an archive by https (.tgz, .tar.gz, .tbz, .tar) with `#sha256=...`, `OWNER/NAME` for the GitHub repository OWNER/heroku-buildpack-NAME, an image as `docker://REGISTRY/NAME:TAG`, one of ours as `wherry/nodejs`, or (on the host alone) the path of a folder. It is fetched by the next build and held at that commit or digest until `ps:rebuild`.';

const add = defineCommand({
  name: 'buildpacks:add',
  summary: 'Add a buildpack to an app, as the last one or at a position',
  description: kinds,
  examples: [
    'buildpacks:add blog heroku/nodejs',
    'buildpacks:add --index 1 blog https://example.org/a/b.git#v2',
    'buildpacks:add blog docker://docker.io/paketobuildpacks/nodejs:latest',
  ],
  args: { app, buildpack },
  flags: { index },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const list = context.store.buildpacks.list(owner);
    if (has(list, input.buildpack))
      throw new WherryError('invalid', `Buildpack ${input.buildpack.text} is already set on ${owner.name}`, {
        hint: `buildpacks:list ${owner.name}`,
      });
    const at = input.index === undefined ? list.length : input.index - 1;
    return save(context, owner, list.toSpliced(at, 0, allowed(context, input.buildpack)));
  },
  text: () => [],
});

const set = defineCommand({
  name: 'buildpacks:set',
  summary: 'Set the first buildpack of an app, the one at a position, or all of them',
  description: kinds,
  examples: [
    'buildpacks:set blog heroku/nodejs',
    'buildpacks:set --index 2 blog wherry/procfile',
    'buildpacks:set --replace blog heroku/apt heroku/nodejs',
  ],
  args: { app, buildpacks: many(buildpack) },
  flags: { index, replace: toggle({ help: 'these are all of them' }) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const given = input.buildpacks.map(each => allowed(context, each));
    if (input.replace && input.index !== undefined)
      throw new WherryError('invalid', 'Please choose either --index or --replace, but not both');
    if (input.replace) return save(context, owner, unique(given));
    const [only] = given;
    if (given.length > 1 || !only)
      throw new WherryError(
        'invalid',
        'Only one buildpack may be set at a position. Use --replace to set several.',
      );
    const list = context.store.buildpacks.list(owner);
    const at = Math.min((input.index ?? 1) - 1, list.length);
    return save(context, owner, unique(list.toSpliced(at, 1, only)));
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'buildpacks:remove',
  summary: 'Remove a buildpack from an app, by name or position',
  examples: ['buildpacks:remove blog heroku/nodejs', 'buildpacks:remove --index 1 blog'],
  args: { app, buildpack: optional(buildpack) },
  flags: { index },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    if (input.buildpack && input.index !== undefined)
      throw new WherryError('invalid', 'Please choose either index or Buildpack, but not both');
    if (!input.buildpack && input.index === undefined)
      throw new WherryError('invalid', 'Must specify a buildpack to remove, either by index or URL');
    const list = context.store.buildpacks.list(owner);
    if (list.length === 0)
      throw new WherryError(
        'not-found',
        `No buildpacks were found, next release on ${owner.name} will detect buildpack normally`,
      );
    const wanted = input.buildpack?.text;
    const found = list.find(({ text }, at) => text === wanted || at + 1 === input.index);
    if (!found)
      throw new WherryError(
        'not-found',
        `App ${owner.name} has no buildpack ${wanted ?? `at index ${input.index}`}`,
        {
          hint: `buildpacks:list ${owner.name}`,
        },
      );
    context.progress.step(`Removing ${found.text}`);
    return save(
      context,
      owner,
      list.filter(each => each !== found),
    );
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'buildpacks:clear',
  summary: 'Remove all buildpacks from an app: the next build detects them',
  examples: ['buildpacks:clear blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    context.progress.step(`Clearing buildpacks on ${owner.name}`);
    return save(context, owner, []);
  },
  text: () => [],
});

const list = defineCommand({
  name: 'buildpacks:list',
  summary: 'List the buildpacks that were set for an app',
  examples: ['buildpacks:list blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => context.store.buildpacks.list(context.app(input.app)).map(({ text }) => text),
  text: (urls, input) => [header(`${input.app} buildpack urls`), ...urls.map(url => detail(url))],
});

const detect = defineCommand({
  name: 'buildpacks:detect',
  summary: 'Tell which buildpacks the last pushed commit would be built with',
  examples: ['buildpacks:detect blog', 'buildpacks:detect --branch main blog'],
  args: { app },
  flags: { branch: flag(optional(branch), { help: 'instead of the deploy branch' }) },
  access: { app: 'read' },
  effect: 'read',
  run: async (context, input) =>
    await context.deployer.detect(context.app(input.app), input.branch, doing(context)),
  text: names => [...names],
});

const setProperty = defineCommand({
  name: 'buildpacks:set-property',
  summary: 'Set or, without a value, unset a buildpacks property of an app',
  description:
    'stack: the name that classic buildpacks find in STACK, as heroku-24. The config variable STACK goes before it.',
  examples: ['buildpacks:set-property blog stack heroku-24', 'buildpacks:set-property blog stack'],
  args: { app, property: property, value: optional(stackName) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const { property, value } = input;
    context.store.buildpacks.setStack(owner, value);
    context.progress.header(value ? `Setting ${property} to ${value}` : `Unsetting ${property}`);
    tell(context, owner, 'buildpacks', value ? `Stack name is ${value}` : 'Stack name unset');
    return { app: owner.name, [property]: value ?? null };
  },
  text: () => [],
});

const report = defineReport({
  name: 'buildpacks:report',
  summary: 'Show the buildpacks of one app or all',
  examples: ['buildpacks:report blog', 'buildpacks:report blog --buildpacks-list'],
  title: 'buildpacks',
  prefix: 'buildpacks-',
  values(context, each) {
    const stack = context.store.buildpacks.stack(each) ?? '';
    return {
      'computed-stack': stack || 'wherry-12',
      'global-stack': 'wherry-12',
      list: context.store.buildpacks
        .list(each)
        .map(({ text }) => text)
        .join(','),
      stack,
    };
  },
});

export const buildpacksCommands = [add, set, remove, clear, list, detect, setProperty, report];

function save(context: Context, owner: App, sources: readonly BuildpackSource[]) {
  if (sources.length > mostBuildpacks)
    throw new WherryError(
      'invalid',
      `An app may have ${mostBuildpacks} buildpacks. Remove one before adding another.`,
    );
  context.store.buildpacks.set(owner, sources);
  const names = sources.map(({ text }) => text);
  tell(
    context,
    owner,
    'buildpacks',
    names.length === 0 ? 'Removed all buildpacks' : `Set ${names.join(', ')}`,
  );
  return { app: owner.name, buildpacks: names };
}

/** A folder of the host is for those who are on the host. @throws access-denied */
function allowed({ actor }: Context, source: BuildpackSource): BuildpackSource {
  if (source.kind === 'folder' && actor.via !== 'local')
    throw new WherryError(
      'access-denied',
      `Folder ${source.path} is on the host. Set it there, as its operator.`,
    );
  return source;
}

function has(sources: readonly BuildpackSource[], { text }: BuildpackSource): boolean {
  return sources.some(each => each.text === text);
}

function unique(sources: readonly BuildpackSource[]): readonly BuildpackSource[] {
  return [...new Map(sources.map(source => [source.text, source])).values()];
}

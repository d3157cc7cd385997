import { baseOf } from '../build/rebase-labels.ts';
import { parseTimeOfDay } from '../build/rebase-timer.ts';
import { archiveImage } from '../build/stack/archive-image.ts';
import { type Generation, parseStackName } from '../build/stack/generation.ts';
import type { StackImage, StackImages } from '../build/stack/image-stack.ts';
import { parsePackageName } from '../build/stack/package-name.ts';
import { stackId } from '../build/stack/recipe.ts';
import type { App } from '../domain/app.ts';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asText, choice, flag, optional, shown, text, withDefault } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { appOrGlobal } from './kinds.ts';
import { columns, header, heading } from './lines.ts';
import { defineReport } from './report.ts';
import { settingWords } from './set-property.ts';

const stack: ArgKind<string> = { ...text('stack'), parse: value => parseStackName(asText(value, 'stack')) };
const suite: ArgKind<string> = {
  ...text('suite'),
  parse(value) {
    const name = asText(value, 'suite');
    if (/^[a-z]{2,30}$/.test(name)) return name;
    throw new WherryError(
      'invalid',
      `${shown(value)} is not the name of a Debian suite. Give for example bookworm.`,
    );
  },
};
const packages: ArgKind<readonly string[]> = {
  ...text('packages'),
  parse: value =>
    asText(value, 'packages')
      .split(',')
      .filter(name => name !== '')
      .map(parsePackageName),
};

const list = defineCommand({
  name: 'stacks:list',
  summary: 'List the stacks of this host: every generation, what it is and how large',
  description:
    'A stack is a run image and a build image that apps share. A security rebuild makes its next generation; the newest is what builds and ps:rebase take. Apps counts those whose live release is on it. Sizes are of the run image and of what the build image has on top.',
  examples: ['stacks:list', 'stacks:list --format json'],
  args: {},
  access: 'admin',
  effect: 'read',
  run(context) {
    const usual = usualStack(context);
    return context.stacks.list().map(each => ({
      stack: each.stack,
      generation: each.number,
      newest: context.stacks.newest(each.stack)?.number === each.number,
      default: each.stack === usual,
      distro: `${each.distro.name} ${each.distro.version}`.trim(),
      made_at: each.madeAt,
      packages: Object.keys(each.packages.run).length,
      ...context.stacks.sizes(each),
      apps: context.store.apps
        .list()
        .filter(app => isOn(context, app, each))
        .map(({ name }) => name),
      from: each.spec.kind === 'debian' ? `Debian ${each.spec.suite}` : each.spec.run,
    }));
  },
  text(stacks) {
    const rows = stacks.map(each => [
      `${each.stack}${each.default ? ' (default)' : ''}`,
      `${each.generation}${each.newest ? ' (newest)' : ''}`,
      each.distro,
      each.made_at,
      String(each.packages),
      formatBytes(each.run_size),
      formatBytes(each.build_size),
      String(each.apps.length),
    ]);
    const [head = '', ...lines] = columns([
      ['stack', 'generation', 'distribution', 'made', 'packages', 'run', 'build', 'apps'],
      ...rows,
    ]);
    return [header('Stacks'), heading(head), ...lines];
  },
});

const build = defineCommand({
  name: 'stacks:build',
  summary: 'Make the next generation of a stack: a security rebuild, a new stack, or an image from elsewhere',
  description:
    'Without flags: the same stack from what the Debian mirror has now, beside the generations that there are; nothing where no package changed. Apps stay as they are until their next build or ps:rebase. A new name makes a new stack, of a Debian suite (--suite) or of an image archive on standard input (--from -, what "docker save" writes or an OCI layout as tar). For an image pair send the run image with --run - and then the build image with --build -.',
  examples: [
    'stacks:build',
    'stacks:build debian-13 --suite trixie',
    'stacks:build imaging --packages libvips42,fonts-dejavu-core',
    'stacks:build company --from -',
  ],
  args: { stack: withDefault(stack, stackId) },
  flags: {
    suite: flag(optional(suite), { help: 'Debian suite of a new stack', word: 'suite' }),
    packages: flag(optional(packages), {
      help: 'Debian packages on top of the usual ones, by commas',
      word: 'name,name',
    }),
    from: flag(optional(text('image')), { help: '- for an archive that is both images', word: 'image' }),
    run: flag(optional(text('image')), { help: '- for an archive that is the run image', word: 'image' }),
    build: flag(optional(text('image')), { help: '- for an archive that is the build image', word: 'image' }),
  },
  access: 'owner',
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const { progress, signal, stacks } = context;
    const doing = { progress, signal };
    progress.step(`Making the next generation of stack ${input.stack}`);
    const images = imagesOf(context, input);
    const rebuilt = images
      ? await stacks.import(input.stack, images, doing)
      : await stacks.rebuild(input.stack, { suite: input.suite, packages: input.packages }, doing);
    const { generation, changed, made } = rebuilt;
    for (const name of changed) progress.detail(changeOf(name, generation));
    return { stack: generation.stack, generation: generation.number, made, changed };
  },
  text: ({ stack: name, generation, made, changed }) => {
    if (made) return [`Stack ${name} has generation ${generation}: ps:rebase --all puts apps on it`];
    return [
      changed.length > 0
        ? `Stack ${name} is unchanged; packages on top of it are newer: ps:rebase --all`
        : `Stack ${name} is unchanged: no package is newer than in generation ${generation}`,
    ];
  },
});

const use = defineCommand({
  name: 'stacks:use',
  summary: 'Set the stack that an app, or with --global every app, is built on; unset it without a name',
  description:
    'Takes effect with the next build: an app moves to another stack by ps:rebuild, not by ps:rebase.',
  examples: ['stacks:use blog debian-13', 'stacks:use --global debian-13', 'stacks:use blog'],
  args: { app: appOrGlobal, stack: optional(stack) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const name = input.stack;
    if (name !== undefined && name !== stackId && !context.stacks.newest(name))
      throw new WherryError('not-found', `There is no stack ${name} on this host.`, {
        hint: `stacks:build ${name}`,
      });
    context.store.properties.set(owner ? `app:${owner.id}` : 'global', 'stack', name);
    const words = settingWords('the stack', name);
    context.progress.header(words);
    if (owner) tell(context, owner, 'stack', words);
    return { app: owner?.name ?? null, stack: name ?? null };
  },
  text: () => [],
});

const set = defineCommand({
  name: 'stacks:set',
  summary: 'Set or, with none, unset the time of day at which stacks are rebuilt and apps rebased',
  description:
    'rebase-at: every day at that time, by the clock of the host, stacks of Debian packages are made anew from their mirror; where packages are newer, apps are put on the new generation without a build. Nothing happens where none is.',
  examples: ['stacks:set --global rebase-at 03:30', 'stacks:set --global rebase-at none'],
  args: {
    app: appOrGlobal,
    property: choice('property', ['rebase-at'] as const),
    value: optional(text('value')),
  },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    if (input.app !== undefined)
      throw new WherryError('invalid', 'rebase-at is of all apps together. Set it with --global.');
    const value = input.value && input.value !== 'none' ? parseTimeOfDay(input.value) : undefined;
    context.store.properties.set('global', input.property, value);
    context.progress.header(settingWords(input.property, value));
    return { 'rebase-at': value ?? null };
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'stacks:remove',
  summary: 'Delete a stack that no app uses, with all its generations',
  examples: ['stacks:remove debian-13'],
  args: { stack },
  access: 'owner',
  effect: 'write',
  async run(context, input) {
    const name = input.stack;
    const user = context.store.apps.list().find(app => stackOf(context, app) === name);
    if (user)
      throw new WherryError('conflict', `App ${user.name} is set to use stack ${name}. Set another first.`, {
        hint: `stacks:use ${user.name}`,
      });
    if (usualStack(context) === name && name !== stackId)
      throw new WherryError('conflict', `Apps are set to use stack ${name}. Set another first.`, {
        hint: 'stacks:use --global',
      });
    await context.stacks.remove(name);
    return { stack: name };
  },
  text: ({ stack: name }) => [`Deleted stack ${name}`],
});

const report = defineReport({
  name: 'stacks:report',
  summary: 'Show which stack one app or all are on, and whether a rebase is needed',
  examples: ['stacks:report blog', 'stacks:report blog --stacks-rebase-needed'],
  title: 'stacks',
  prefix: 'stacks-',
  values(context, each) {
    const live = context.store.releases.live(each);
    const image = live && context.store.images.get(live.image);
    const base = image && baseOf(image);
    const name = stackOf(context, each);
    const computed = name ?? usualStack(context);
    const newest = context.stacks.newest(computed);
    const on = base && context.stacks.of(base.stack, base.run);
    return {
      stack: name ?? '',
      'computed-stack': computed,
      'global-stack': context.store.properties.get('global', 'stack') ?? '',
      'global-rebase-at': context.store.properties.get('global', 'rebase-at') ?? 'none',
      'release-stack': base?.stack ?? '',
      'release-generation': on ? String(on.number) : '',
      'newest-generation': newest ? String(newest.number) : '',
      rebasable: image ? String(base !== undefined && base.stack === computed) : '',
      'rebase-needed': String(base !== undefined && base.stack === computed && context.stacks.isBehind(base)),
    };
  },
});

export const stacksCommands = [list, build, use, set, remove, report];

function stackOf(context: Context, app: App): string | undefined {
  return context.store.properties.get(`app:${app.id}`, 'stack');
}

function usualStack(context: Context): string {
  return context.store.properties.get('global', 'stack') ?? stackId;
}

function isOn(context: Context, app: App, generation: Generation): boolean {
  const live = context.store.releases.live(app);
  const base = live && baseOf(context.store.images.get(live.image));
  return (
    base !== undefined &&
    context.stacks.of(base.stack, base.run)?.number === generation.number &&
    base.stack === generation.stack
  );
}

function changeOf(name: string, { packages: { run, build: onTop } }: Generation): string {
  const version = run[name] ?? onTop[name];
  return version === undefined ? name : `${name} ${version}`;
}

type Images = {
  readonly stack: string;
  readonly suite: string | undefined;
  readonly packages: readonly string[] | undefined;
  readonly from: string | undefined;
  readonly run: string | undefined;
  readonly build: string | undefined;
};

/** What is sent, as images for a stack; undefined when the stack is of Debian packages. */
function imagesOf(context: Context, input: Images): StackImages | undefined {
  const named = [input.from, input.run, input.build].filter(each => each !== undefined);
  if (named.length === 0) return undefined;
  if (input.suite !== undefined || input.packages !== undefined)
    throw new WherryError('usage', 'An image has the packages it has. Leave out --suite and --packages.');
  if (named.length > 1)
    throw new WherryError(
      'usage',
      'Only one archive comes on standard input. Send run and build image one after the other.',
    );
  if (named[0] !== '-')
    throw new WherryError(
      'usage',
      `Send the image as an archive: docker save ${named[0]} | wherry stacks:build ${input.stack} --from -`,
    );
  if (!context.stdin || context.stdin.readableEnded)
    throw new WherryError(
      'usage',
      'No archive came on standard input. Send one, as "docker save" writes it.',
    );
  const image: StackImage = archiveImage(`the image for ${input.stack}`, context.stdin);
  if (input.from !== undefined) return { run: image, build: image };
  return input.run === undefined ? { build: image } : { run: image };
}

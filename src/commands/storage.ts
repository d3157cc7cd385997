import { existsSync } from 'node:fs';
import type { App } from '../domain/app.ts';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { formatVolumeMount, parseVolumeMount, type VolumeMount } from '../domain/volume.ts';
import { choice, flag, optional, text, withDefault } from './args.ts';
import { mayAll } from './authorise.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { columns, header } from './lines.ts';
import { defineReport } from './report.ts';
import { storageExec } from './storage-exec.ts';
import { storageName } from './storage-name.ts';
import { diskSize, storageSet } from './storage-set.ts';

/** Whom a new folder belongs to, by dokku's words for it: instances of ours run as 1000. */
const owners = { herokuish: 1000, heroku: 1000, paketo: 1000, app: 1000, root: 0, false: undefined } as const;

const [ensure, create] = (['storage:ensure-directory', 'storage:create'] as const).map(command =>
  defineCommand({
    name: command,
    summary: 'Make a folder that outlives instances and releases; one that is there stays as it is',
    description:
      'It belongs to the user that instances run as, unless --chown says root, or false to leave it. With --size it is a file system of its own that takes no more of the disk, and of which what is used is known at once; it must be new then.',
    examples: [`${command} blog`, `${command} blog/uploads --chown root`, `${command} uploads --size 1g`],
    args: { name: storageName },
    flags: {
      chown: flag(withDefault(choice('owner', Object.keys(owners)), 'app'), {
        help: 'app, root or false (dokku: herokuish, heroku, paketo are app)',
      }),
      size: flag(optional(diskSize), { help: 'the most that it may hold, as 1g; it can grow later' }),
    },
    access: 'admin',
    effect: 'write',
    async run(context, input) {
      const owner = owners[input.chown as keyof typeof owners];
      const path = await context.volumes.ensure(input.name, owner, input.size);
      context.progress.step(`Ensuring ${path} exists`);
      return { name: input.name, path, size: input.size ?? null };
    },
    text: ({ name: made }) => [`Directory ready for mounting: ${made}`],
  }),
) as [ReturnType<typeof defineCommand>, ReturnType<typeof defineCommand>];

const mount = defineCommand({
  name: 'storage:mount',
  summary: 'Show a folder to the instances of an app',
  description:
    'NAME:/PATH for storage of that name, or, for an owner, an absolute path of the host in its place; :ro behind it to be read only. A path below /var/lib/dokku/data/storage is taken as a name. It is there from the next deploy or restart on, for one-off commands at once; the build does not see it.',
  examples: ['storage:mount blog blog:/data', 'storage:mount blog /srv/shared:/shared:ro'],
  args: { app, mount: text('mount') },
  access: 'admin',
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const wanted = parseVolumeMount(input.mount, context.dataDir);
    // What is not storage may be anything of the host, also what its own programs run.
    if (wanted.source.startsWith('/') && !mayAll(context.actor, 'owner', context.store))
      throw new WherryError(
        'access-denied',
        'Access denied: a folder of the host that is no storage is for an owner to mount. Use storage by name.',
        { hint: `storage:create ${owner.name}` },
      );
    if (wanted.source.startsWith('/') && !existsSync(wanted.source))
      throw new WherryError('not-found', `${wanted.source} is not there on the host. Make it first.`);
    const mounts = context.volumes.list(owner);
    if (mounts.some(({ target }) => target === wanted.target))
      throw new WherryError('conflict', `Something is mounted at ${wanted.target} already.`, {
        hint: `storage:list ${owner.name}`,
      });
    return stored(context, owner, {
      mounts: [...mounts, wanted],
      words: `Mounted ${formatVolumeMount(wanted)}`,
    });
  },
  text: () => [],
});

const unmount = defineCommand({
  name: 'storage:unmount',
  summary: 'Show a folder to the instances of an app no more; its content stays',
  examples: ['storage:unmount blog blog:/data'],
  args: { app, mount: text('mount') },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const { source, target } = parseVolumeMount(input.mount, context.dataDir);
    const mounts = context.volumes.list(owner);
    const left = mounts.filter(each => each.source !== source || each.target !== target);
    if (left.length === mounts.length)
      throw new WherryError('not-found', `App ${owner.name} does not mount ${source} at ${target}.`, {
        hint: `storage:list ${owner.name}`,
      });
    return stored(context, owner, { mounts: left, words: `Unmounted ${source} from ${target}` });
  },
  text: () => [],
});

const list = defineCommand({
  name: 'storage:list',
  summary: 'List the folders that instances of an app see',
  examples: ['storage:list blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  async run(context, input) {
    const mounts = context.volumes.list(context.app(input.app));
    return await Promise.all(
      mounts.map(async ({ source, target, readonly }) => {
        const room = await context.volumes.room(source);
        return {
          host_path: source,
          container_path: target,
          volume_options: readonly ? 'ro' : '',
          size: room?.size ?? null,
          used: room?.used ?? null,
        };
      }),
    );
  },
  text: (found, input) => [
    header(`${input.app} volume bind-mounts`),
    ...found.map(each => `${each.host_path}:${each.container_path}${each.volume_options && ':ro'}`),
  ],
});

const info = defineCommand({
  name: 'storage:info',
  aliases: ['storage:list-entries'],
  summary: 'Show how large storage is and may be, and which apps see it; of all storage without a name',
  examples: ['storage:info', 'storage:info blog'],
  args: {
    name: optional(storageName),
  },
  access: 'admin',
  effect: 'read',
  async run(context, input) {
    const all = await context.volumes.all();
    const wanted =
      input.name === undefined
        ? all
        : [{ name: input.name, apps: all.find(each => each.name === input.name)?.apps ?? [] }];
    return await Promise.all(
      wanted.map(async each => ({ ...each, ...(await context.volumes.use(each.name)) })),
    );
  },
  text: found =>
    columns(
      found.map(({ name, used, size, apps }) => [
        name,
        size === null ? formatBytes(used) : `${formatBytes(used)} of ${formatBytes(size)}`,
        apps.join(' '),
      ]),
    ),
});

const destroy = defineCommand({
  name: 'storage:destroy',
  summary: 'Delete storage with all that is in it',
  examples: ['storage:destroy blog'],
  args: { name: storageName },
  access: 'admin',
  effect: 'write',
  confirm: (_context, input) => ({
    warning: `This command will delete storage ${input.name} and everything in it.`,
    word: input.name,
  }),
  async run(context, input) {
    await context.volumes.destroy(input.name);
    return { name: input.name, destroyed: true };
  },
  text: ({ name: gone }) => [header(`Deleted storage ${gone}`)],
});

const report = defineReport({
  name: 'storage:report',
  summary: 'Show which folders one app or all see',
  examples: ['storage:report blog'],
  title: 'storage',
  prefix: 'storage-',
  values: async (context, each) => {
    const sources = [...context.volumes.seen(each, 'web'), ...context.volumes.seen(each, 'run')];
    const sizes = [];
    for (const source of new Set(sources.map(mounted => mounted.source))) {
      const room = await context.volumes.room(source);
      if (room) sizes.push(`${source}=${formatBytes(room.used)}/${formatBytes(room.size)}`);
    }
    const mounts = context.volumes
      .list(each)
      .map(mounted => `-v ${formatVolumeMount(mounted)}`)
      .join(' ');
    return { 'deploy-mounts': mounts, 'run-mounts': mounts, 'build-mounts': '', sizes: sizes.join(' ') };
  },
});

export const storageCommands = [
  ...[ensure, create, storageSet, mount, unmount],
  ...[list, info, storageExec, destroy, report],
];

function stored(
  context: Context,
  owner: App,
  { mounts, words }: { mounts: readonly VolumeMount[]; words: string },
): object {
  context.volumes.set(owner, mounts);
  context.progress.step(words);
  tell(context, owner, 'storage', words);
  return { app: owner.name, mounts: mounts.map(formatVolumeMount) };
}

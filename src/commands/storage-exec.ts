import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asList, asText } from './args.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { storageName } from './storage-name.ts';

const command: ArgKind<readonly string[]> = {
  word: 'command',
  secret: 'rest',
  required: true,
  rest: true,
  verbatim: true,
  schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
  parse(value) {
    const words = asList(value).map(word => asText(word, 'command'));
    return words[0] === '--' ? words.slice(1) : words;
  },
};

export const storageExec = defineCommand({
  name: 'storage:exec',
  summary: 'Run a command where storage is mounted, with your terminal or pipes; its exit status is yours',
  description:
    'It runs in an instance of its own, of the first deployed app that mounts the storage for one-off commands, and begins in the storage’s folder.',
  examples: ['storage:exec uploads ls -l', 'storage:exec uploads -- tar -cf - .'],
  args: { name: storageName, command },
  access: 'admin',
  effect: 'read',
  acts: true,
  tty: true,
  stdin: true,
  async run(context, input) {
    await context.volumes.require(input.name);
    const [found] = context.store.apps.list().flatMap(app => {
      const mount = context.volumes.seen(app, 'run').find(({ source }) => source === input.name);
      const desired = context.deployer.desired(app);
      return mount && desired ? [{ app, desired, target: mount.target }] : [];
    });
    if (!found)
      throw new WherryError('conflict', `No app that was deployed mounts storage ${input.name}.`, {
        hint: `storage:mount APP ${input.name}:/data`,
      });
    const { app, desired, target } = found;
    tell(context, app, 'run', `Ran ${input.command[0]} in storage ${input.name}`);
    const status = await context.runtime.run(
      { ...desired, image: { ...desired.image, workingDir: target } },
      { argv: input.command, signal: context.signal, streams: context.takeStreams() },
    );
    return { name: input.name, app: app.name, status };
  },
  text: () => [],
  exit: ({ status }) => status,
});

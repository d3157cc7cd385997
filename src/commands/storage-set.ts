import { formatBytes, parseMemory } from '../domain/bytes.ts';
import { type ArgKind, asText, choice } from './args.ts';
import { defineCommand } from './define.ts';
import { storageName } from './storage-name.ts';

/** Bytes of a disk: a bare number is megabytes, as everywhere. */
export const diskSize: ArgKind<number> = {
  word: 'size',
  required: true,
  schema: { type: 'string' },
  parse: value => parseMemory(asText(value, 'size')),
};

export const storageSet = defineCommand({
  name: 'storage:set',
  summary: 'Give storage that has a size a larger one',
  description:
    'While apps use it, where the host lets file systems grow then; otherwise stop the apps that mount it first. It cannot shrink.',
  examples: ['storage:set uploads size 2g'],
  args: { name: storageName, property: choice('property', ['size']), value: diskSize },
  access: 'admin',
  effect: 'write',
  async run(context, input) {
    await context.volumes.grow(input.name, input.value);
    context.progress.step(`Setting size of storage ${input.name} to ${formatBytes(input.value)}`);
    return { name: input.name, size: input.value };
  },
  text: () => [],
});

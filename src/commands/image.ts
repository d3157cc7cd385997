import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { ArgKind } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app } from './kinds.ts';

const image: ArgKind<string> = {
  word: 'image',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const text = String(value);
    if (/^[a-z0-9][a-zA-Z0-9._/:@-]{0,299}$/.test(text)) return text;
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no name of an image. Give one such as "blog:1.2".`,
    );
  },
};

const loadImage = defineCommand({
  name: 'git:load-image',
  summary: 'Deploy an image archive that comes on standard input',
  description:
    'The archive is what "docker save" writes, or an OCI layout as tar, plain or with gzip. Of several images in it the one with the given name and tag is taken. ENTRYPOINT, CMD, USER, WORKDIR, ENV and EXPOSE count; an image that wants root runs as user 1000.',
  examples: ['git:load-image blog blog:1.2'],
  args: { app, image },
  access: { app: 'deploy' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const owner = context.app(input.app);
    if (!context.stdin || context.stdin.readableEnded)
      throw new WherryError(
        'usage',
        `No archive came on standard input. Send one: docker save ${input.image} | ...`,
      );
    const sent = { name: input.image, archive: context.stdin };
    const release = await context.deployer.loadImage(owner, sent, doing(context));
    return { app: owner.name, release: release.version };
  },
  text: () => [],
});

export const imageCommands = [loadImage];

import { type ImageRef, parseImageRef } from '../domain/image-ref.ts';
import { type ArgKind, asText, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const image: ArgKind<ImageRef> = {
  word: 'image',
  required: true,
  schema: { type: 'string' },
  parse: value => parseImageRef(asText(value, 'image')),
};

const fromImage = defineCommand({
  name: 'git:from-image',
  summary: 'Deploy an image of a registry, without git',
  description:
    'The tag is looked up, what comes is held to its digest, and only layers that are not here are fetched. Where neither the image nor the config changed, nothing is deployed, unless with --force. "ps:rebuild" looks the tag up again. ENTRYPOINT, CMD, USER, WORKDIR, ENV and EXPOSE count; an image that wants root runs as user 1000. A private image needs "registry:login". A name and email are taken as dokku takes them, and not used: no commit is made. It goes on when the connection is lost: builds:output shows the rest, builds:cancel stops it.',
  examples: [
    'git:from-image blog nginxinc/nginx-unprivileged:1.27',
    `git:from-image blog registry.example.org:5000/team/blog@sha256:${'0a1b2c3d'.repeat(8)}`,
    'git:from-image blog ghcr.io/team/blog:v2 ann ann@example.org',
  ],
  args: { app, image, user: optional(text('user')), email: optional(text('email')) },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const wanted = { ref: input.image, force: context.force };
    const { actor, progress } = context;
    const release = await context.deployer.pullImage(owner, wanted, { actor, progress });
    return { app: owner.name, release: release.version, image: input.image.text };
  },
  text: () => [],
});

export const gitFromImageCommands = [fromImage];

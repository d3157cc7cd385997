import { archiveTypes } from '../domain/archive-type.ts';
import { WherryError } from '../domain/errors.ts';
import { parseRemoteUrl } from '../domain/remote-url.ts';
import { type ArgKind, asText, choice, flag, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app } from './kinds.ts';

/** Undefined is standard input; `--`, as dokku writes it, leaves nothing here. */
const where: ArgKind<URL | undefined> = {
  word: 'url|-',
  required: false,
  schema: { type: 'string' },
  parse(value) {
    if (value === undefined || value === null || value === '-' || value === '--') return undefined;
    return parseRemoteUrl(asText(value, 'url'));
  },
};

const fromArchive = defineCommand({
  name: 'git:from-archive',
  summary: 'Deploy the files of an archive, from a URL or standard input',
  description:
    'A tar, tar.gz or zip archive becomes a commit on the deploy branch, and that is deployed as a push is. One folder that holds everything is taken away. Files that run already are not deployed again; --force does. USER and EMAIL are the author of the commit.',
  examples: [
    'git:from-archive blog https://example.org/blog-1.2.tar.gz',
    'git:from-archive blog - Ann ann@example.org --archive-type zip',
  ],
  args: { app, url: where, user: optional(text('user')), email: optional(text('email')) },
  flags: {
    archiveType: flag(optional(choice('archive type', archiveTypes)), {
      help: 'refuse it unless it is a tar, tar.gz or zip',
      word: archiveTypes.join('|'),
    }),
  },
  access: { app: 'deploy' },
  effect: 'write',
  stdin: true,
  async run(context, { app: name, url, user, email, archiveType }) {
    const owner = context.app(name);
    const archive = url ?? context.stdin;
    if (!archive || (url === undefined && context.stdin?.readableEnded))
      throw new WherryError('usage', `No archive came on standard input. Send one: git archive HEAD | ...`);
    const release = await context.deployer.fromArchive(
      owner,
      {
        archive,
        type: archiveType,
        name: url ? `${url.origin}${url.pathname}` : 'an archive',
        author: { ...(user === undefined ? {} : { name: user }), ...(email === undefined ? {} : { email }) },
        again: context.force,
      },
      doing(context),
    );
    return { app: owner.name, release: release?.version ?? null };
  },
  text: () => [],
});

export const gitFromArchiveCommands = [fromArchive];

import { WherryError } from '../domain/errors.ts';
import { parseGitRemote } from '../domain/git-remote.ts';
import { quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText, optional, toggle } from './args.ts';
import { mayAll } from './authorise.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app } from './kinds.ts';

const repository: ArgKind<URL> = {
  word: 'repository',
  required: true,
  schema: { type: 'string' },
  parse: value => parseGitRemote(asText(value, 'repository')),
};

const ref: ArgKind<string> = {
  word: 'ref',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const text = asText(value, 'ref');
    if (/^(?!-)(?!.*\.\.)(?!.*@\{)[A-Za-z0-9_./+@#-]{1,200}$/.test(text)) return text;
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no branch, tag or commit. Give one such as "main".`,
    );
  },
};

const sync = defineCommand({
  name: 'git:sync',
  summary: 'Take the code of an app from a git repository elsewhere',
  description:
    "The branch, tag or commit, or what the repository has as its default branch, is fetched by https with the login of git:auth, or by ssh with the key of git:generate-deploy-key from a host that git:allow-host let in, which is for admins of all apps: that key opens more than one app's code. A branch becomes the app's deploy branch; a tag or a commit goes to the deploy branch as it is set. Nothing is built unless a flag asks for it; then the branch moves only when the new version is live.",
  examples: [
    'git:sync --build blog https://example.org/ann/blog.git',
    'git:sync --build-if-changes blog https://example.org/ann/blog.git v1.2',
    'git:sync --build blog git@example.org:ann/blog.git main',
  ],
  args: { app, repository, ref: optional(ref) },
  flags: {
    build: toggle({ help: 'build and deploy what was fetched' }),
    buildIfChanges: toggle({ help: 'build and deploy unless it runs already' }),
    skipDeployBranch: toggle({ help: 'leave the deploy branch as it is set' }),
  },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    if (input.repository.protocol === 'ssh:') requireDeployKey(context, input.app);
    const { commit, branch, release } = await context.deployer.sync(
      owner,
      {
        url: input.repository,
        ref: input.ref,
        build: input.build ? 'yes' : input.buildIfChanges ? 'changed' : 'no',
        keepBranch: input.skipDeployBranch,
      },
      doing(context),
    );
    return { app: owner.name, commit, branch, release: release?.version ?? null };
  },
  text: () => [],
});

/** Whoever names the repository would have the code of all that the key opens. @throws access-denied */
function requireDeployKey(context: Context, name: string): void {
  if (mayAll(context.actor, 'admin', context.store)) return;
  throw new WherryError(
    'access-denied',
    `By ssh the host's deploy key fetches, which opens more than the code of ${name}, and you are no admin of all apps. Give the repository's https URL.`,
    { hint: `git:auth ${name} HOST USER` },
  );
}

export const gitSyncCommands = [sync];

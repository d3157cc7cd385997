import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';

const initialize = defineCommand({
  name: 'git:initialize',
  summary: 'Make the repository of an app, if it is missing',
  description: 'The first push does so too. One that is there stays as it is.',
  examples: ['git:initialize blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    await context.receiver.ensure(owner.name);
    context.progress.step(`Initialized the git repository of ${owner.name}`);
    return { app: owner.name };
  },
  text: () => [],
});

const status = defineCommand({
  name: 'git:status',
  summary: 'Show the branch and commit of an app, and whether that commit is what runs',
  description:
    'dokku shows "git status" of a folder; here there is none but the repository, which is always clean.',
  examples: ['git:status blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  async run(context, input) {
    const owner = context.app(input.app);
    const { deployBranch: branch } = owner;
    const commit = branch === null ? null : await context.receiver.head(owner.name, branch);
    const live = context.store.releases.live(owner)?.commit ?? null;
    return { app: owner.name, branch, commit, live, deployed: commit !== null && commit === live };
  },
  text({ branch, commit, live, deployed }) {
    if (branch === null) return ['No branch yet: the first that is pushed is deployed'];
    if (commit === null) return [`On branch ${branch}`, 'No commits yet'];
    const runs = live === null ? 'Nothing of it is deployed' : `Commit ${live} is deployed`;
    return [`On branch ${branch}`, `Commit ${commit}`, deployed ? 'It is what is deployed' : runs];
  },
});

const unlock = defineCommand({
  name: 'git:unlock',
  summary: 'Say what holds an app, in the place of the lock files that dokku leaves behind',
  description:
    'Locks here end with what holds them, also when it was killed: there is never one to remove. A build that hangs is ended by builds:cancel.',
  examples: ['git:unlock blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    return { app: owner.name, removed: false };
  },
  text: (_result, input) => [
    `Nothing is left to unlock. To end a build that runs: builds:cancel ${input.app}`,
  ],
});

const gc = defineCommand({
  name: 'repo:gc',
  summary: 'Pack the repository of an app, so that it takes less of the disk',
  description: 'Wherry does so by itself when pushes have scattered it. Pushes wait meanwhile.',
  examples: ['repo:gc blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    await context.receiver.pack(owner.name, context.signal);
    tell(context, owner, 'git', 'Packed the repository');
    return { app: owner.name };
  },
  text: (_result, input) => [`Packed the repository of ${input.app}`],
});

export const gitRepositoryCommands = [initialize, status, unlock, gc];

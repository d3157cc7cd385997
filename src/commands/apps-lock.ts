import { deployLockOf, setDeployLock } from '../deploy/deploy-lock.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';

const lock = defineCommand({
  name: 'apps:lock',
  summary: 'Keep an app from being deployed',
  description:
    'Pushes, builds, images, rebases and rollbacks are refused, and told who locked it and when; config, scale and restarts go on.',
  examples: ['apps:lock blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const { properties } = context.store;
    if (deployLockOf(properties, owner) === undefined) {
      const since = context.clock.now().toISOString();
      setDeployLock(properties, owner, `by ${context.actor.name} since ${since}`);
      tell(context, owner, 'lock', 'Locked against deploys');
    }
    context.progress.step('Deploy lock created');
    return { app: owner.name, locked: true };
  },
  text: () => [],
});

const unlock = defineCommand({
  name: 'apps:unlock',
  summary: 'Let an app be deployed again',
  examples: ['apps:unlock blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const { properties } = context.store;
    if (deployLockOf(properties, owner) !== undefined) {
      setDeployLock(properties, owner, undefined);
      tell(context, owner, 'lock', 'Unlocked');
    }
    context.progress.step('Deploy lock removed');
    return { app: owner.name, locked: false };
  },
  text: () => [],
});

const locked = defineCommand({
  name: 'apps:locked',
  summary: 'Tell by the exit status whether an app is locked: 0 or 1',
  examples: ['apps:locked blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    return { app: owner.name, locked: deployLockOf(context.store.properties, owner) !== undefined };
  },
  text: () => [],
  exit: result => (result.locked ? 0 : 1),
});

export const appsLockCommands = [lock, unlock, locked];

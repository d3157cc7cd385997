import type { RebaseOutcome } from '../build/rebase-all.ts';
import { WherryError } from '../domain/errors.ts';
import { parseProcessType } from '../domain/names.ts';
import { optional, toggle } from './args.ts';
import { defineCommand } from './define.ts';
import { doing, isDeployed } from './doing.ts';
import { app, counts } from './kinds.ts';
import { columns, heading, step } from './lines.ts';
import { inspect } from './ps-inspect.ts';
import { psReport } from './ps-report.ts';
import { psRunCommands } from './ps-run.ts';
import { psSet } from './ps-set.ts';
import { aList, anInteger, aRecord, aText } from './results.ts';

const web = parseProcessType('web');

const scale = defineCommand({
  name: 'ps:scale',
  aliases: ['apps:scale'],
  summary: 'Show or set how many instances of each process run',
  description: 'Without counts it shows them. Only the processes that are named change; 0 to 100 each.',
  examples: ['ps:scale blog', 'ps:scale blog web=2 worker=0'],
  args: { app, counts: optional(counts) },
  access: { app: 'deploy' },
  effect: 'write',
  looksOnly: input => input.counts === undefined,
  result: aList(aRecord({ process_type: aText, quantity: anInteger })),
  async run(context, input) {
    const owner = context.app(input.app);
    if (input.counts) {
      const words = [...input.counts].map(([type, count]) => `${type}=${count}`);
      context.progress.step(`Scaling ${owner.name} processes: ${words.join(' ')}`);
      await context.deployer.scale(owner, input.counts, doing(context));
    }
    const now = context.deployer.counts(owner);
    // Before the first push nothing says which processes there are: one web is what it will get.
    const known = context.store.releases.live(owner) || now.has(web) ? now : new Map([[web, 1], ...now]);
    return [...known].map(([type, quantity]) => ({ process_type: type, quantity }));
  },
  text(formation, input) {
    if (input.counts) return [];
    const rows = formation.map(({ process_type, quantity }) => `${`${process_type}:`.padEnd(5)} ${quantity}`);
    return [step(`Scaling for ${input.app}`), heading('proctype: qty'), heading('--------: ---'), ...rows];
  },
});

const rebase = defineCommand({
  name: 'ps:rebase',
  summary: 'Put an app, or all, on the newest generation of its stack without building it',
  description:
    'The same layers of the app on a run image with newer packages, as a new release that takes over without a failed request; rollback brings the old one back. An app that a Dockerfile or an image from elsewhere made, or that is set to use another stack, must be built again. --force also takes a stack whose distribution has another version.',
  examples: ['ps:rebase blog', 'ps:rebase --all'],
  args: { app: optional(app) },
  flags: { all: toggle({ help: 'every app that is deployed' }) },
  access: { app: 'deploy' },
  effect: 'write',
  result: aList(aRecord({ app: aText, outcome: aText }, { release: anInteger, reason: aText })),
  async run(context, input) {
    const how = { force: context.force };
    if (input.all && input.app === undefined) return await context.rebaseAll(how, doing(context));
    if (input.app === undefined || input.all) throw new WherryError('usage', 'Name one app, or say --all.');
    const owner = context.app(input.app);
    if (!isDeployed(context, owner)) return [];
    context.progress.step(`Rebasing ${owner.name}`);
    const release = await context.deployer.rebase(owner, how, doing(context));
    const done: RebaseOutcome = release
      ? { app: owner.name, outcome: 'rebased', release: release.version }
      : { app: owner.name, outcome: 'newest' };
    return [done];
  },
  text: outcomes => columns(outcomes.map(each => [each.app, describeRebase(each)])),
  exit: outcomes => (outcomes.some(({ outcome }) => outcome === 'failed') ? 1 : 0),
});

function describeRebase(done: RebaseOutcome): string {
  if (done.outcome === 'rebased') return `is on the newest stack as v${done.release}`;
  return done.outcome === 'newest' ? 'is on the newest stack already' : done.reason;
}

export const psCommands = [scale, ...psRunCommands, rebase, psSet, inspect, psReport];

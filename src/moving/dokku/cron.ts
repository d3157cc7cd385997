import { parseObjects } from '../answers.ts';
import { type DokkuHost, listed } from './host.ts';

/** Tasks come with app.json at the first deploy; which of them rest is for a person to say again. */
export async function tellCron(host: DokkuHost, app: string): Promise<void> {
  const json = await host.ask('cron:list', app, '--format', 'json');
  const tasks =
    json.kind === 'said'
      ? await host.read(['cron:list', app, '--format', 'json'], parseObjects)
      : json.kind === 'refused'
        ? await host.read(['cron:list', app], out => listed(out).filter(line => !/^ID\s/.test(line)))
        : undefined;
  if (tasks === undefined || tasks.length === 0) return;
  const count = tasks.length === 1 ? '1 task' : `${tasks.length} tasks`;
  host.later.push(
    `With its first deploy ${count} of app.json begin to run at their times, in UTC: cron:list ${app}`,
  );
  const resting = tasks.filter(task => typeof task === 'object' && isResting(task));
  if (resting.length > 0)
    host.later.push(
      `There ${resting.length} of them are suspended. Suspend them here too: cron:suspend ${app} ID`,
    );
}

function isResting(task: object): boolean {
  const { maintenance, suspended, state } = task as Record<string, unknown>;
  return maintenance === true || suspended === true || state === 'suspended';
}

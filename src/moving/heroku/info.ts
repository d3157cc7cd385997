import { quoteForPeople } from '../../domain/names.ts';
import { malformed, parseObject } from '../answers.ts';
import type { HerokuApp } from './cli.ts';

/** Maintenance, and what the app is built on. */
export async function moveInfo(app: HerokuApp): Promise<void> {
  const { stack, maintenance } = await app.read(['apps:info', '--json'], readInfo);
  if (maintenance) app.step('maintenance:enable', app.name);
  if (stack === 'container')
    app.left.push(
      'It is built from a Dockerfile by heroku.yml, which is not read here: a Dockerfile at the root is.',
    );
  else if (!/^heroku-\d+$/.test(stack))
    app.left.push(`Its stack ${quoteForPeople(stack)} is not here. See stacks:list.`);
}

function readInfo(out: string): { stack: string; maintenance: boolean } {
  const { app } = parseObject(out) as { app?: { stack?: { name?: unknown }; maintenance?: unknown } | null };
  const name = app?.stack?.name;
  if (typeof name !== 'string') throw malformed('the app has no stack');
  return { stack: name, maintenance: app?.maintenance === true };
}

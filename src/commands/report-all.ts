import { optional } from './args.ts';
import { type Command, defineCommand } from './define.ts';
import { app } from './kinds.ts';
import type { Line } from './lines.ts';
import { parseJson } from './parse.ts';
import type { Registry } from './registry.ts';

/** `report`: every `X:report` about apps that the registry has. */
export function reportCommand(registry: Registry): Command {
  const reports = () =>
    registry.list().filter(({ name, args }) => name.endsWith(':report') && args['app']?.role === 'app');
  const inputOf = (report: Command, name: string | undefined) =>
    parseJson(report, name === undefined ? {} : { app: name });
  return defineCommand({
    name: 'report',
    summary: 'Show all reports of one app, or of all',
    examples: ['report', 'report blog', 'report blog --format json'],
    args: { app: optional(app) },
    access: { app: 'read' },
    effect: 'read',
    async run(context, input) {
      if (input.app !== undefined) context.app(input.app);
      const found: Record<string, unknown> = {};
      for (const report of reports())
        found[report.name.replace(/:report$/, '')] = await report.run(context, inputOf(report, input.app));
      return found;
    },
    text: (found, input) =>
      reports().flatMap((report): readonly Line[] =>
        report.text(found[report.name.replace(/:report$/, '')], inputOf(report, input.app)),
      ),
  });
}

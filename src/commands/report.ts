import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ArgKind } from './args.ts';
import { asList, asText, optional } from './args.ts';
import type { Context } from './context.ts';
import { type Command, defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { detail, header, type Line } from './lines.ts';
import { aMap, anyOf, aText } from './results.ts';

/** What is known of one app, by key without the report's prefix: `running`, `status-web-1`. */
export type ReportValues = Readonly<Record<string, string>>;

/** Of one app; of all, one each. */
const values = aMap(aText);

/** Width that dokku pads a report's keys to. */
const keyWidth = 31;

/** The one flag of a report: whichever key the person wants. */
const infoFlag: ArgKind<string | undefined> = {
  word: 'key',
  required: false,
  unknownFlags: true,
  schema: { type: 'string' },
  help: 'print this value alone',
  parse(value) {
    const names = value === undefined ? [] : asList(value);
    if (names.length > 1)
      throw new WherryError('invalid', 'A report takes one flag at a time. Leave out the others.');
    return names[0] === undefined ? undefined : asText(names[0], 'key');
  },
};

/**
 * `X:report [app] [--key]`, dokku's way: text for people, the bare value for one flag, a flat map of texts as JSON
 * (by app when no app is named); `X:report --global` where settings are of all apps.
 */
export function defineReport(report: {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly examples: readonly string[];
  /** In `=====> blog ps information`, and in front of keys in the text. */
  readonly title: string;
  readonly prefix: string;
  values(context: Context, app: App): ReportValues | Promise<ReportValues>;
  /** For `X:report --global`: what is of no one app. */
  global?(context: Context): ReportValues;
}): Command {
  const { name, aliases = [], summary, description, examples } = report;
  return defineCommand({
    name,
    aliases,
    summary,
    ...(description === undefined ? {} : { description }),
    examples,
    args: { app: optional(app) },
    flags: { info: infoFlag },
    access: { app: 'read' },
    effect: 'read',
    result: anyOf<ReportValues | Readonly<Record<string, ReportValues>> | string>(
      aText,
      values,
      aMap(values),
    ),
    async run(context, input) {
      if (report.global && asksGlobal(input)) return sorted(report.global(context));
      const apps = input.app === undefined ? context.apps() : [context.app(input.app)];
      const found: Record<string, ReportValues> = {};
      for (const each of apps) found[each.name] = sorted(await report.values(context, each));
      if (input.info !== undefined && input.app !== undefined)
        return pick(found[input.app] ?? {}, input.info, report.prefix);
      if (input.info !== undefined)
        throw new WherryError('invalid', 'Please specify an app to run the command on');
      return input.app === undefined ? found : (found[input.app] ?? {});
    },
    text(result, input) {
      if (typeof result === 'string') return [result];
      if (asksGlobal(input)) return section('Global', result as ReportValues, report);
      const apps = input.app === undefined ? Object.entries(result) : [[input.app, result] as const];
      return apps.flatMap(([each, values]) => section(each, values as ReportValues, report));
    },
  });
}

function asksGlobal({ app: name, info }: { app: string | undefined; info: string | undefined }): boolean {
  return name === undefined && info === 'global';
}

function section(name: string, values: ReportValues, report: { title: string; prefix: string }): Line[] {
  const labels = Object.entries(values).map(
    ([key, value]) => [label(`${report.prefix}${key}`), value] as const,
  );
  const width = Math.max(keyWidth, ...labels.map(([text]) => text.length + 2));
  return [
    header(`${name} ${report.title} information`),
    ...labels.map(([text, value]) => detail(`${`${text}:`.padEnd(width)}${value}`.trimEnd())),
  ];
}

/** `ps-can-scale` is `Ps can scale`. */
function label(key: string): string {
  const words = key.replace(/[-.]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function pick(values: ReportValues, flag: string, prefix: string): string {
  const value = values[flag] ?? (flag.startsWith(prefix) ? values[flag.slice(prefix.length)] : undefined);
  if (value !== undefined) return value;
  const valid = Object.keys(values).map(key => `--${prefix}${key}`);
  throw new WherryError('invalid', `Invalid flag passed, valid flags: ${valid.sort().join(', ')}`);
}

function sorted(values: ReportValues): ReportValues {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

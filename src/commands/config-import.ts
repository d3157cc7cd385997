import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { parseEnvFile } from '../domain/env-file.ts';
import { WherryError } from '../domain/errors.ts';
import { type ConfigKey, parseConfigKey } from '../domain/names.ts';
import { choice, flag, text, toggle, withDefault } from './args.ts';
import { applied, checkSizes, keepValues, largestConfig, restartFlags, secretFlag } from './config-apply.ts';
import { ownerOf } from './config-owner.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal, asConfigValue } from './kinds.ts';
import { readStdin } from './read-stdin.ts';

const formats = ['envfile', 'json'] as const;
/** Bytes; quotes and comments come on top of what is kept. */
const largestFile = 2 * largestConfig;

export const importCommand = defineCommand({
  name: 'config:import',
  summary: 'Set the config variables that an env file or JSON holds',
  description:
    'From standard input for "-"; on the server itself also an absolute path. An envfile has KEY=value lines, comments, "export" and quotes; nothing in it is expanded. JSON is one object of texts. All of it is taken or nothing. --replace unsets what the file does not name.',
  examples: [
    'config:import blog -',
    'config:import --replace --no-restart blog -',
    'config:import --format json --global -',
  ],
  args: { app: appOrGlobal, file: text('file|-') },
  flags: {
    format: flag(withDefault(choice('format', formats), 'envfile'), { help: formats.join(', ') }),
    replace: toggle({ help: 'unset all others' }),
    secret: secretFlag,
    ...restartFlags,
  },
  access: { app: 'deploy' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const owner = ownerOf(context, input.app);
    const values = read(await contentOf(context, input.file), input.format);
    const { config } = context.store;
    if (values.size === 0 && !input.replace)
      throw new WherryError('invalid', 'The file holds no variable, so that nothing was set.');
    const kept = input.replace ? {} : config.own(owner);
    checkSizes(context, owner, { ...kept, ...Object.fromEntries(values) });
    keepValues(context, owner, { values, ...input });
    const keys = [...values.keys()];
    return await applied(context, owner, { keys, description: `Imported ${keys.join(', ')}`, ...input });
  },
  text: () => [],
});

async function contentOf(context: Context, file: string): Promise<string> {
  if (file === '-')
    return await readStdin(context.stdin, { until: 'end', max: largestFile, signal: context.signal });
  if (context.actor.via !== 'local' || !isAbsolute(file))
    throw new WherryError(
      'invalid',
      'Files are read for the own shell of the server alone, by an absolute path. Give "-", and the file on standard input.',
    );
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new WherryError('invalid', `The file cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
}

function read(content: string, format: (typeof formats)[number]): ReadonlyMap<ConfigKey, string> {
  const entries = format === 'json' ? Object.entries(parseJsonMap(content)) : [...parseEnvFile(content)];
  return new Map(entries.map(([key, value]) => [parseConfigKey(key), asConfigValue(key, value)]));
}

function parseJsonMap(content: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's own words would show what it read.
    throw new WherryError('invalid', 'The file is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WherryError('invalid', 'The JSON is not one object, {"KEY": "value"}.');
  return value as Readonly<Record<string, unknown>>;
}

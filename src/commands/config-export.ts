import { choice, flag, withDefault } from './args.ts';
import { merged, readableConfig } from './config-owner.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { keyValues, type Line } from './lines.ts';

const formats = [
  'exports',
  'envfile',
  'shell',
  'pretty',
  'json',
  'json-list',
  'docker-args',
  'docker-args-keys',
  'pack-keys',
] as const;
type Format = (typeof formats)[number];
type Entries = readonly (readonly [string, string])[];

/** `'it'\''s'`: one word of a POSIX shell, whatever it holds. */
const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };
/** A double-quoted value of an env file, as dotenv readers take it. */
const envQuoted = (value: string) =>
  `"${value.replace(/[\\"$`]/g, '\\$&').replace(/[\n\r]/g, char => escapes[char] ?? char)}"`;

/** One writer a format. */
const writers: Readonly<Record<Format, (entries: Entries) => readonly Line[]>> = {
  exports: entries => entries.map(([key, value]) => `export ${key}=${quoted(value)}`),
  envfile: entries => entries.map(([key, value]) => `${key}=${envQuoted(value)}`),
  shell: entries => [entries.map(([key, value]) => `${key}=${quoted(value)}`).join(' ')],
  pretty: keyValues,
  json: entries => [JSON.stringify(Object.fromEntries(entries))],
  'json-list': entries => [JSON.stringify(entries.map(([name, value]) => ({ name, value })))],
  'docker-args': entries => [entries.map(([key, value]) => `--env=${key}=${quoted(value)}`).join(' ')],
  'docker-args-keys': entries => [entries.map(([key]) => `--env=${key}`).join(' ')],
  'pack-keys': entries => [entries.map(([key]) => `--env ${key}`).join(' ')],
};

export const exportCommand = defineCommand({
  name: 'config:export',
  summary: 'Print all config variables in a form for programs',
  description: 'What is write-only is left out, with a warning on standard error.',
  examples: ['config:export blog', 'config:export --format shell blog', 'config:export --merged blog'],
  args: { app: appOrGlobal },
  flags: {
    format: flag(withDefault(choice('format', formats), 'exports'), { help: formats.join(', ') }),
    merged,
  },
  access: { app: 'deploy' },
  effect: 'read',
  exact: true,
  run: readableConfig,
  text: (values, input) => writers[input.format](Object.entries(values)),
});

import type { AccessLine, DroppedLines } from '../domain/access-line.ts';
import { choice, flag, integer, toggle, withDefault } from './args.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const formats = ['combined', 'json'] as const;

const proxyLogs = defineCommand({
  name: 'proxy:logs',
  summary: "Show an app's access log",
  description:
    'A line for each request, in the combined format that web servers share or as JSON with times, bytes and the instance that answered. ' +
    'Queries are left out, they may hold secrets.',
  examples: ['proxy:logs blog', 'proxy:logs blog -n 20 --follow', 'proxy:logs blog --format json'],
  args: { app },
  flags: {
    num: flag(withDefault(integer('lines', { min: 0, max: 100_000 }), 100), {
      help: 'how many lines',
      short: 'n',
    }),
    follow: toggle({ help: 'go on with new lines', short: 't' }),
    format: flag(withDefault(choice('format', formats), 'combined'), { help: formats.join(', ') }),
  },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  run({ app: find, accessLogs, signal }, input) {
    const { name } = find(input.app);
    return accessLogs.read(name, { lines: input.num, follow: input.follow, signal });
  },
  text: (line, input) => [input.format === 'json' ? JSON.stringify(line) : combined(line)],
});

export const proxyLogsCommands = [proxyLogs];

/** The combined log format, as web servers and log analysers know it. */
export function combined(line: AccessLine | DroppedLines): string {
  if ('dropped' in line) return `# ${line.dropped} lines were lost before ${line.at}: the disk was too slow.`;
  const { client, method, path, protocol, status, bytesOut, referer, agent } = line;
  return (
    `${escaped(client)} - - [${stamp(line.at)}] "${escaped(`${method} ${path} ${protocol}`)}" ` +
    `${status} ${bytesOut} "${escaped(referer ?? '-')}" "${escaped(agent ?? '-')}"`
  );
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `24/Nov/2026:14:05:09 +0000`. */
function stamp(at: string): string {
  const [year, month, day] = at.slice(0, 10).split('-');
  return `${day}/${months[Number(month) - 1]}/${year}:${at.slice(11, 19)} +0000`;
}

/** What would end a quote, or move the cursor of whoever reads it. */
function escaped(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/g, char =>
    [...Buffer.from(char, 'utf8')].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

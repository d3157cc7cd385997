import { WherryError } from '../domain/errors.ts';
import { type ProcessType, parseProcessType, quoteForPeople } from '../domain/names.ts';

export type Procfile = {
  readonly processes: ReadonlyMap<ProcessType, string>;
  readonly warnings: readonly string[];
};

const mostTypes = 100;
const longestLine = 8192;

/**
 * Parses `type: command` lines; blank lines and lines that start with `#` are skipped, a BOM and CRLF are fine, the last of
 * two equal types wins with a warning.
 * @throws build-failed naming the line
 */
export function parseProcfile(text: string): Procfile {
  const processes = new Map<ProcessType, string>();
  const warnings: string[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const { type, command } = parseLine(line, index + 1);
    if (processes.has(type)) warnings.push(`Procfile names process type ${type} twice; the last one counts.`);
    processes.set(type, command);
    if (processes.size > mostTypes)
      throw new WherryError(
        'build-failed',
        `Invalid Procfile: it has more than ${mostTypes} process types. Remove some.`,
      );
  }
  if (processes.size === 0) {
    throw new WherryError(
      'build-failed',
      'Invalid Procfile: it names no process. Add a line such as "web: node server.js", or delete the file.',
    );
  }
  return { processes, warnings };
}

function parseLine(line: string, number: number): { type: ProcessType; command: string } {
  const bad = (reason: string) =>
    new WherryError('build-failed', `Invalid Procfile: line ${number} ${reason}`);
  if (line.length > longestLine)
    throw bad(`is longer than ${longestLine} characters. Move the command into a script.`);
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(line)) throw bad('holds a control character. Write plain text.');
  const colon = line.indexOf(':');
  if (colon < 0)
    throw bad(
      `${quoteForPeople(line.trim())} is not "type: command". Write for example "web: node server.js".`,
    );
  const name = line.slice(0, colon).trim();
  const command = line.slice(colon + 1).trim();
  if (command === '')
    throw bad(`gives process type ${quoteForPeople(name)} no command. Add one after the colon.`);
  try {
    return { type: parseProcessType(name), command };
  } catch (cause) {
    throw new WherryError('build-failed', `Invalid Procfile: line ${number}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

import { pino } from 'pino';

export type Log = {
  child(bindings: Record<string, unknown>): Log;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Bytes of lines that wait for a disk with room; more are lost. */
const longestBacklog = 2 ** 20;

/**
 * JSON lines on stderr; level from WHERRY_LOG (debug, info, warn, error), `info` when unset.
 * @param hide is given each line of a warning or an error, whose words nobody chose
 */
export function createLog(
  name: string,
  level = process.env['WHERRY_LOG'] ?? 'info',
  hide: (line: string) => string = line => line,
): Log {
  const hooks = { streamWrite: (line: string) => (/^\{"level":[45]0,/.test(line) ? hide(line) : line) };
  const stderr = pino.destination({ dest: 2, sync: true, maxLength: longestBacklog });
  // It may be a file on a disk that is full: what is logged about must go on, and the lines come with the next that can be written.
  stderr.on('error', () => {});
  return pino({ name, level: level in levels ? level : 'info', hooks }, stderr);
}

export const silentLog: Log = {
  child: () => silentLog,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

const levels = { debug: 0, info: 0, warn: 0, error: 0, silent: 0 };

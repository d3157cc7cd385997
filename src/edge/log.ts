import { fstatSync, ftruncate, write, writeSync } from 'node:fs';
import type { Log } from '../system/log.ts';

export type EdgeLog = Log & { readonly debugging: boolean };

const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const;
const maxQueued = 1 << 20;
const maxFile = 16 << 20;

/**
 * JSON lines on stderr in pino's shape, written asynchronously in batches: the event loop never waits for the disk.
 * A log file is emptied when it passes 16 MiB; lines are dropped when the disk cannot follow.
 */
export function createEdgeLog(level = process.env['WHERRY_LOG'] ?? 'info'): EdgeLog & { flush(): void } {
  const threshold = level in levels ? levels[level as keyof typeof levels] : levels.info;
  const out = createOutput();
  const make = (bindings: Record<string, unknown>): EdgeLog => {
    const at = (name: keyof typeof levels) => (fields: object, message: string) => {
      if (levels[name] < threshold) return;
      out.push(
        JSON.stringify(
          { level: levels[name], time: Date.now(), ...bindings, ...fields, msg: message },
          plainErrors,
        ),
      );
    };
    return {
      debugging: threshold <= levels.debug,
      child: more => make({ ...bindings, ...more }),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    };
  };
  return { ...make({ name: 'edge', pid: process.pid }), flush: out.flush };
}

function createOutput() {
  let queued = '';
  let writing = false;
  let size = 0;
  const isFile = fstatSync(2).isFile();
  if (isFile) size = fstatSync(2).size;
  const next = () => {
    if (queued === '' || writing) return;
    const batch = Buffer.from(queued);
    queued = '';
    writing = true;
    const done = () => {
      writing = false;
      next();
    };
    size += batch.length;
    if (isFile && size > maxFile) {
      size = batch.length;
      ftruncate(2, 0, () => write(2, batch, done));
    } else write(2, batch, done);
  };
  return {
    push(line: string) {
      if (queued.length > maxQueued) return;
      queued += `${line}\n`;
      next();
    },
    /** Before the process ends. */
    flush() {
      if (queued === '') return;
      const rest = queued;
      queued = '';
      writeSync(2, rest);
    },
  };
}

function plainErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;
}

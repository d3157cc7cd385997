import type { FromEdge } from '../domain/route.ts';

type Fields = Record<string, unknown>;

/** What each kind of message must look like: the edge is not trusted. */
const shapes: Readonly<Record<FromEdge['kind'], (message: Fields) => boolean>> = {
  hello: message =>
    hasState(message) &&
    Number.isInteger(message['pid']) &&
    typeof message['version'] === 'string' &&
    ['starting', 'serving', 'retiring'].includes(String(message['state'])) &&
    isListening(message['http']) &&
    (message['https'] === undefined || isListening(message['https'])),
  applied: hasState,
  drained: message => typeof message['target'] === 'string',
  spawned: message => Number.isInteger(message['pid']) && Number(message['pid']) > 1,
  'spawn-failed': message => typeof message['reason'] === 'string',
  overloaded: ({ ms }) => Number.isFinite(ms) && Number(ms) >= 0,
  wake: message => typeof message['app'] === 'string' && isCause(message['cause']),
  load: message => isArrayOf(message['apps'], isLoad),
};

/** @returns undefined for what is no message of the edge's */
export function parseMessage(line: string): FromEdge | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isFields(value) || typeof value['kind'] !== 'string' || !Object.hasOwn(shapes, value['kind']))
    return undefined;
  return shapes[value['kind'] as FromEdge['kind']](value) ? (value as FromEdge) : undefined;
}

function hasState(message: Fields): boolean {
  return (
    Number.isSafeInteger(message['generation']) &&
    isArrayOf(message['draining'], target => typeof target === 'string') &&
    (message['ports'] === undefined || isArrayOf(message['ports'], Number.isInteger))
  );
}

function isListening(value: unknown): boolean {
  return isFields(value) && typeof value['host'] === 'string' && Number.isInteger(value['port']);
}

function isCause(value: unknown): boolean {
  return (
    isFields(value) &&
    ['method', 'host', 'path', 'agent', 'peer'].every(name => typeof value[name] === 'string')
  );
}

function isLoad(value: unknown): boolean {
  return (
    isFields(value) &&
    typeof value['app'] === 'string' &&
    ['inFlight', 'waiting', 'mean', 'requests', 'idle'].every(
      name => typeof value[name] === 'number' && value[name] >= 0,
    )
  );
}

function isArrayOf(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

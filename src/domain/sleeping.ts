import { WherryError } from './errors.ts';
import { type ProcessType, parseProcessType, quoteForPeople } from './names.ts';
import type { HoldPolicy } from './route.ts';

/** What `sleep:set` knows, by the name that people type; all of the whole app. */
export const sleepSettings = {
  queue: { usual: '200', help: 'most requests that wait for it at once', parse: parseQueue },
  'waiting-page': {
    usual: 'false',
    help: 'true: browsers get a page that tries again, instead of waiting',
    parse: parseSwitch,
  },
  'ignore-paths': {
    usual: '',
    help: 'paths, by commas, that neither wake it nor keep it awake; one that ends in * stands for all that begin so',
    parse: parsePaths,
  },
  'ignore-agents': {
    usual: '',
    help: 'beginnings of user agents, by commas, that neither wake it nor keep it awake',
    parse: parseAgents,
  },
  'follow-web': {
    usual: '',
    help: 'processes, by commas, that sleep and wake with web; others never sleep',
    parse: parseFollowers,
  },
} as const;

export type SleepSetting = keyof typeof sleepSettings;

export const sleepSettingNames = Object.keys(sleepSettings) as readonly SleepSetting[];

/** The property that a setting is stored under. */
export function sleepKey(name: SleepSetting): string {
  return `sleep-${name}`;
}

/** @param get what is stored of a setting; undefined for nothing */
export function readHoldPolicy(
  get: (name: SleepSetting) => string | undefined,
  wakeTimeout: number,
): HoldPolicy {
  return {
    timeout: wakeTimeout,
    queue: parseQueue(get('queue') ?? sleepSettings.queue.usual),
    waitingPage: parseSwitch(get('waiting-page') ?? 'false'),
    ignorePaths: parsePaths(get('ignore-paths') ?? ''),
    ignoreAgents: parseAgents(get('ignore-agents') ?? ''),
  };
}

/** `worker` or `worker,clock`; never `web` itself, and never what runs once. @throws invalid */
export function parseFollowers(text: string): readonly ProcessType[] {
  return listed(text).map(name => {
    const type = parseProcessType(name);
    if (['web', 'cron', 'release'].includes(type))
      throw new WherryError('invalid', `${type} cannot follow web. Name other processes, as worker.`);
    return type;
  });
}

function parseQueue(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 1 && number <= 2000) return number;
  throw new WherryError('invalid', `queue=${quoteForPeople(text)} is not a whole number from 1 to 2000.`);
}

function parseSwitch(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new WherryError('invalid', `waiting-page=${quoteForPeople(text)} is neither true nor false.`);
}

function parsePaths(text: string): readonly string[] {
  return listed(text).map(path => {
    if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path)) return path;
    throw new WherryError(
      'invalid',
      `ignore-paths: ${quoteForPeople(path)} is not a path. Give it as /health or /internal/*, without query.`,
    );
  });
}

function parseAgents(text: string): readonly string[] {
  return listed(text).map(agent => {
    if (/^[\x20-\x7e]{3,200}$/.test(agent)) return agent;
    throw new WherryError(
      'invalid',
      `ignore-agents: ${quoteForPeople(agent)} is not the beginning of a user agent. Give 3 to 200 characters of it.`,
    );
  });
}

function listed(text: string): string[] {
  const items = text.split(',').map(item => item.trim());
  return items.filter(item => item !== '').slice(0, 50);
}

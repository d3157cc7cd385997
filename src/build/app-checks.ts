import { z } from 'zod';
import {
  type CheckProbe,
  checkTypes,
  type HealthCheck,
  type HealthChecks,
  probeWords,
} from '../domain/health-check.ts';

const seconds = (most: number, least = 0) =>
  z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const words = z.array(z.string().min(1, 'must not be empty').max(4096)).min(1, 'must not be empty').max(100);
const port = z.int('must be a port').min(1, 'must be a port').max(65_535, 'must be a port');
/** Say how the request itself is framed, so they are not the app's. */
const framing = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);
const header = z.looseObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header')
    .refine(name => !framing.has(name.toLowerCase()), 'is a header that a check cannot set'),
  value: z.string().regex(/^[\t\x20-\x7e]{0,4096}$/, 'must be printable ASCII on one line'),
});

const check = z
  .looseObject({
    name: z.string().min(1, 'must not be empty').max(100).optional(),
    type: z.enum(checkTypes).default('startup'),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, 'must be a path that starts with "/"')
      .max(2048)
      .optional(),
    scheme: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['http', 'https']))
      .default('http'),
    port: port.optional(),
    content: z.string().min(1, 'must not be empty').max(4096).optional(),
    httpHeaders: z.array(header).max(50).default([]),
    command: words.optional(),
    listening: z.boolean().default(false),
    uptime: seconds(3600, 1).optional(),
    attempts: z.int('must be a whole number').min(1, 'must be at least 1').max(1000).optional(),
    wait: seconds(3600).optional(),
    timeout: seconds(3600, 0.1).optional(),
    initialDelay: seconds(3600).optional(),
    warn: z.boolean().default(false),
    onFailure: z.looseObject({ command: words.optional(), url: z.string().optional() }).optional(),
  })
  .superRefine((given, context) => {
    const kinds = kindsOf(given);
    if (kinds.length > 1) context.addIssue(`has ${kinds.join(' and ')}: one check has one of them`);
    if (given.uptime !== undefined && given.type !== 'startup')
      context.addIssue(`has an uptime, which only a check of type startup can have`);
  });
type Given = z.infer<typeof check>;

/** `healthchecks` of an app.json, by process type, as dokku has it. */
export const checksSchema = z.record(z.string(), z.array(check).max(20, 'must be at most 20'));

export function readChecks(given: z.infer<typeof checksSchema>): {
  checks: HealthChecks;
  warnings: readonly string[];
} {
  const warnings = Object.entries(given).flatMap(([type, all]) =>
    all.flatMap(({ onFailure }, at) =>
      onFailure?.url === undefined
        ? []
        : [`healthchecks.${type}.${at}.onFailure.url is left out: it is told in the events of the app.`],
    ),
  );
  const entries = Object.entries(given).filter(([, all]) => all.length > 0);
  return { checks: Object.fromEntries(entries.map(([type, all]) => [type, all.map(readCheck)])), warnings };
}

function readCheck(given: Given): HealthCheck {
  const probe = probeOf(given);
  const { attempts, wait, timeout, initialDelay, onFailure } = given;
  return {
    name: given.name ?? probeWords(probe),
    type: given.type,
    probe,
    ...(attempts === undefined ? {} : { attempts }),
    ...(wait === undefined ? {} : { wait: wait * 1000 }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    ...(initialDelay === undefined ? {} : { initialDelay: initialDelay * 1000 }),
    ...(given.warn ? { warn: true } : {}),
    ...(onFailure?.command === undefined ? {} : { onFailure: onFailure.command }),
  };
}

function kindsOf(
  given: Pick<Given, 'path' | 'content' | 'command' | 'listening' | 'uptime'>,
): readonly string[] {
  const kinds: [string, boolean][] = [
    ['a path', given.path !== undefined || given.content !== undefined],
    ['a command', given.command !== undefined],
    ['listening', given.listening],
    ['an uptime', given.uptime !== undefined],
  ];
  return kinds.flatMap(([kind, has]) => (has ? [kind] : []));
}

function probeOf(given: Given): CheckProbe {
  const at = given.port === undefined ? {} : { port: given.port };
  if (given.command) return { kind: 'command', command: given.command };
  if (given.listening) return { kind: 'listening', ...at };
  if (given.uptime !== undefined) return { kind: 'uptime', uptime: given.uptime * 1000 };
  return {
    kind: 'http',
    path: given.path ?? '/',
    scheme: given.scheme,
    ...at,
    headers: given.httpHeaders.map(({ name, value }) => [name, value] as const),
    ...(given.content === undefined ? {} : { content: given.content }),
  };
}

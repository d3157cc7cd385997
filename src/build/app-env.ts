import { z } from 'zod';
import type { EnvRule, EnvRules } from '../domain/app-manifest.ts';
import { quoteForPeople } from '../domain/names.ts';

/** Bytes; what an environment variable can hold (MAX_ARG_STRLEN, less its name). */
const longestValue = 128 * 1024 - 512;

const value = z
  .string('must be text; put numbers in quotes')
  .refine(text => Buffer.byteLength(text) <= longestValue, 'is longer than a variable can be')
  .refine(text => !text.includes('\0'), 'holds a NUL byte, which no variable can');

const rule = z.looseObject({
  value: value.optional(),
  required: z.boolean().default(true),
  generator: z.literal('secret', 'must be "secret"').optional(),
  sync: z.boolean().default(false),
});

const isName = (key: string) => /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(key);

/** `env` of an app.json, as dokku and Heroku have it: a text alone is the value. */
export const envSchema = z
  .record(
    z.string(),
    z.preprocess(each => (typeof each === 'string' ? { value: each } : each), rule),
  )
  .superRefine((all, context) => {
    const wrong = Object.keys(all).find(key => !isName(key));
    if (wrong !== undefined) context.addIssue(`${quoteForPeople(wrong)} is not the name of a variable`);
  });

export function readEnv(given: z.infer<typeof envSchema>): EnvRules {
  return Object.fromEntries(Object.entries(given).map(([key, each]) => [key, readRule(each)]));
}

function readRule(given: z.infer<typeof envSchema>[string]): EnvRule {
  return {
    ...(given.value === undefined ? {} : { value: given.value }),
    ...(given.generator === undefined ? {} : { secret: true }),
    required: given.required,
    ...(given.sync ? { sync: true } : {}),
  };
}

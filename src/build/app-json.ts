import { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import { parseJsonc } from './jsonc.ts';

export type AppJson = { readonly healthcheck?: { readonly path: string } };

const check = z.looseObject({
  type: z.enum(['startup', 'readiness', 'liveness']).default('startup'),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'must be a path that starts with "/"')
    .max(2048)
    .optional(),
});
const schema = z.looseObject({ healthchecks: z.record(z.string(), z.array(check).max(20)).optional() });

/**
 * Reads what Wherry uses of an app.json (comments and trailing commas are fine): the path of the web process's startup or
 * readiness check.
 * @throws build-failed with line and column, or the key that is wrong
 */
export function parseAppJson(text: string): AppJson {
  const parsed = schema.safeParse(parse(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new WherryError(
      'build-failed',
      `Invalid app.json: ${issue?.path.join('.') || 'the document'}: ${issue?.message}. Correct it.`,
    );
  }
  const found = parsed.data.healthchecks?.['web']?.find(
    ({ type, path }) => type !== 'liveness' && path !== undefined,
  );
  return found?.path === undefined ? {} : { healthcheck: { path: found.path } };
}

function parse(text: string): unknown {
  try {
    return parseJsonc(text);
  } catch (cause) {
    throw new WherryError('build-failed', `Invalid app.json: ${(cause as Error).message}. Correct it.`, {
      cause,
    });
  }
}

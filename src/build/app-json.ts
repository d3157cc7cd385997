import { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import type { Image } from '../domain/image.ts';
import { cronSchema, readCron } from './app-cron.ts';
import { formationSchema, readFormation } from './app-formation.ts';
import { parseJsonc } from './jsonc.ts';

export type AppJson = {
  /** Goes into the image, and so is of the release. */
  readonly parts: { readonly healthcheck?: { readonly path: string } } & Pick<Image, 'formation' | 'cron'>;
  readonly warnings: readonly string[];
};

export const noAppJson: AppJson = { parts: {}, warnings: [] };

const check = z.looseObject({
  type: z.enum(['startup', 'readiness', 'liveness']).default('startup'),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'must be a path that starts with "/"')
    .max(2048)
    .optional(),
});
const schema = z.looseObject({
  healthchecks: z.record(z.string(), z.array(check).max(20)).optional(),
  formation: formationSchema.optional(),
  cron: cronSchema.optional(),
});

/**
 * Reads what Wherry uses of an app.json (comments and trailing commas are fine): the path of the web process's startup or
 * readiness check, the formation, and what is to run at times.
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
  const cron = readCron(parsed.data.cron ?? []);
  const { formation, warnings } = readFormation(parsed.data.formation ?? {});
  return {
    parts: {
      ...(found?.path === undefined ? {} : { healthcheck: { path: found.path } }),
      ...(Object.keys(formation).length === 0 ? {} : { formation }),
      ...(cron.length === 0 ? {} : { cron }),
    },
    warnings,
  };
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

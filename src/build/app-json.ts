import { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import type { Image } from '../domain/image.ts';
import { plainLine } from '../domain/plain-text.ts';
import { checksSchema, readChecks } from './app-checks.ts';
import { cronSchema, readCron } from './app-cron.ts';
import { envSchema, readEnv } from './app-env.ts';
import { formationSchema, readFormation } from './app-formation.ts';
import { readScripts, scriptsSchema } from './app-scripts.ts';
import { parseJsonc } from './jsonc.ts';

export type AppJson = {
  /** Goes into the image, and so is of the release. */
  readonly parts: Pick<Image, 'healthchecks' | 'formation' | 'cron' | 'envRules' | 'scripts'>;
  readonly warnings: readonly string[];
};

export const noAppJson: AppJson = { parts: {}, warnings: [] };

const schema = z.looseObject({
  healthchecks: checksSchema.optional(),
  formation: formationSchema.optional(),
  cron: cronSchema.optional(),
  env: envSchema.optional(),
  scripts: scriptsSchema.optional(),
});

/**
 * Reads what Wherry uses of an app.json (comments and trailing commas are fine): the health checks, the formation,
 * the config it wants, and what is to run at times and around a deploy.
 * @throws build-failed with line and column, or the key that is wrong
 */
export function parseAppJson(text: string): AppJson {
  const parsed = schema.safeParse(parse(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new WherryError(
      'build-failed',
      // Keys and values are the app's, and whoever pushes has a terminal.
      plainLine(
        `Invalid app.json: ${issue?.path.join('.') || 'the document'}: ${issue?.message}. Correct it.`,
      ),
    );
  }
  const { checks, warnings: checkWarnings } = readChecks(parsed.data.healthchecks ?? {});
  const cron = readCron(parsed.data.cron ?? []);
  const envRules = readEnv(parsed.data.env ?? {});
  const scripts = readScripts(parsed.data.scripts ?? {});
  const { formation, warnings } = readFormation(parsed.data.formation ?? {});
  return {
    parts: {
      ...(Object.keys(checks).length === 0 ? {} : { healthchecks: checks }),
      ...(Object.keys(formation).length === 0 ? {} : { formation }),
      ...(cron.length === 0 ? {} : { cron }),
      ...(Object.keys(envRules).length === 0 ? {} : { envRules }),
      ...(Object.keys(scripts).length === 0 ? {} : { scripts }),
    },
    warnings: [...checkWarnings, ...warnings],
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

import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import { readSmallFile } from './read-file.ts';
import { describeIssue } from './toml-issue.ts';

export type TomlFile<Schema extends z.ZodType> = {
  readonly file: string;
  /** For messages: whose file it is, as in `launch.toml of wherry/nodejs`. */
  readonly name: string;
  readonly schema: Schema;
};

/**
 * A TOML file that a buildpack wrote; undefined when there is none.
 * @throws build-failed naming line or key
 */
export function readToml<Schema extends z.ZodType>({
  file,
  name,
  schema,
}: TomlFile<Schema>): z.infer<Schema> | undefined {
  const text = readSmallFile(file, name);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(parseText(text, name));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new WherryError(
    'build-failed',
    `${name} is not valid: ${issue && describeIssue(issue)}. Correct it.`,
  );
}

function parseText(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const where = cause instanceof TomlError ? ` at line ${cause.line}, column ${cause.column}` : '';
    throw new WherryError('build-failed', `${name} is not TOML${where}. Correct it.`, { cause });
  }
}

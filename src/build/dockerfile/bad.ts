import { WherryError } from '../../domain/errors.ts';

export function bad(line: number, why: string): WherryError {
  return new WherryError('build-failed', `Dockerfile, line ${line}: ${why}.`);
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerFate } from './layer-fate.ts';
import type { Change, Part } from './part.ts';

/** Why buildpacks ran, or why not: `lost` when layers are gone, `unknown` when the last build left no parts to compare with. */
export type Cause = 'first' | 'asked' | 'changed' | 'lost' | 'unknown' | 'unchanged';

/** What a build was made of, against the one before. Holds no value of config. */
export type Explanation = {
  readonly schema: typeof explanationSchema;
  readonly builder: 'buildpacks' | 'classic' | 'dockerfile';
  readonly commit: string;
  /** ISO 8601. */
  readonly at: string;
  readonly cause: Cause;
  readonly changes: readonly Change[];
  readonly parts: readonly Part[];
  readonly layers: readonly LayerFate[];
};

export const explanationSchema = 1;

/** Of the app's last build that succeeded; undefined when there is none that this version understands. */
export function readExplanation(builds: string, app: string): Explanation | undefined {
  try {
    const found = JSON.parse(readFileSync(fileOf(builds, app), 'utf8')) as Explanation;
    return found.schema === explanationSchema ? found : undefined;
  } catch {
    return undefined;
  }
}

export function writeExplanation(builds: string, app: string, explanation: Explanation): void {
  mkdirSync(join(builds, app), { recursive: true, mode: 0o700 });
  const draft = `${fileOf(builds, app)}.tmp`;
  writeFileSync(draft, JSON.stringify(explanation));
  renameSync(draft, fileOf(builds, app));
}

function fileOf(builds: string, app: string): string {
  return join(builds, app, 'explain.json');
}

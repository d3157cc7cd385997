import { sentence, WherryError } from '../domain/errors.ts';
import type { Plan, Step } from './moves.ts';
import { shownStep } from './report.ts';
import type { Target } from './target.ts';

export type Failure = { readonly step: Step; readonly why: string };

/**
 * Does all steps in order. One that fails is told, and the rest goes on, but for an app that could not be made.
 * @throws unavailable when the target goes away
 */
export async function applyPlan(
  plan: Plan,
  { target, say }: { target: Target; say: (line: string) => void },
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const { steps } of [plan.host, ...plan.apps]) {
    for (const step of steps) {
      say(`-----> ${shownStep(step)}`);
      const why = await failureOf(step, target);
      if (why === undefined) continue;
      say(` !     ${why}`);
      failures.push({ step, why });
      if (step.words[0] === 'apps:create') break;
    }
  }
  return failures;
}

async function failureOf(step: Step, target: Target): Promise<string | undefined> {
  try {
    const { code, stderr } = await target(step);
    return code === 0 ? undefined : (lastWord(stderr) ?? `It ended with ${code}.`);
  } catch (error) {
    if (error instanceof WherryError && error.code !== 'unavailable') return sentence(error);
    throw error;
  }
}

/** The error's own line, without what was warned of before. */
function lastWord(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .map(line => line.replace(/^\s*!\s*/, '').trim())
    .find(line => line !== '');
}

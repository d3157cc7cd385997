import { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import { checkScaling, type Formation } from '../domain/formation.ts';
import { parseProcessType } from '../domain/names.ts';
import { largestScale } from '../domain/quota.ts';
import { type KnobName, knobs } from '../domain/scaling.ts';

/** The knobs by the names that app.json has for them. dokku's `cooldown_period_seconds` is the time without use until there is none. */
const knobOf: Readonly<Record<string, KnobName>> = {
  min_quantity: 'min',
  max_quantity: 'max',
  target: 'target',
  cooldown_period_seconds: 'idle',
  idle: 'idle',
  deep_after: 'deep-after',
  wake_timeout: 'wake-timeout',
  awake: 'awake',
};
/** What dokku reads there and has no meaning here. */
const left = ['polling_interval_seconds', 'triggers'];

const value = z.union([z.number(), z.string()]).optional();
const autoscaling = z.strictObject({
  ...Object.fromEntries(Object.keys(knobOf).map(key => [key, value])),
  ...Object.fromEntries(left.map(key => [key, z.unknown().optional()])),
});
const quantity = z
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .max(largestScale, `must be at most ${largestScale}`);

/** `formation` of an app.json, by process type. */
export const formationSchema = z.record(
  z.string(),
  z.looseObject({
    quantity: quantity.optional(),
    max_parallel: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
    autoscaling: autoscaling.optional(),
  }),
);

/** @throws build-failed naming the key that is wrong */
export function readFormation(given: z.infer<typeof formationSchema>): {
  formation: Formation;
  warnings: readonly string[];
} {
  const warnings: string[] = [];
  const entries = Object.entries(given).flatMap(
    ([type, { quantity: count, max_parallel, autoscaling: scaling }]) => {
      checked(`formation.${type}`, () => parseProcessType(type));
      const key = `formation.${type}.autoscaling`;
      const knobsGiven = scaling && type === 'web' ? readScaling(key, scaling, warnings) : {};
      if (scaling && type !== 'web') warnings.push(`${key} is left out: only web has requests to scale by.`);
      const of = {
        ...(count === undefined ? {} : { quantity: count }),
        ...(max_parallel === undefined ? {} : { maxParallel: max_parallel }),
        ...(Object.keys(knobsGiven).length === 0 ? {} : { autoscaling: knobsGiven }),
      };
      return Object.keys(of).length === 0 ? [] : [[type, of] as const];
    },
  );
  return { formation: Object.fromEntries(entries), warnings };
}

function readScaling(
  key: string,
  given: Readonly<Record<string, unknown>>,
  warnings: string[],
): { readonly [Name in KnobName]?: string } {
  const useless = left.filter(name => given[name] !== undefined);
  if (useless.length > 0)
    warnings.push(
      `${useless.map(name => `${key}.${name}`).join(' and ')} left out: web scales by its requests in flight, to the target.`,
    );
  const found: { [Name in KnobName]?: string } = {};
  for (const [name, knob] of Object.entries(knobOf)) {
    if (given[name] === undefined) continue;
    const text = String(given[name]);
    checked(`${key}.${name}`, () => knobs[knob].parse(text));
    found[knob] = text;
  }
  checked(key, () => checkScaling(found));
  return found;
}

function checked(key: string, check: () => unknown): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof WherryError)) throw cause;
    throw new WherryError('build-failed', `Invalid app.json: ${key}: ${cause.message} Correct it.`, {
      cause,
    });
  }
}

import { WherryError } from './errors.ts';
import { type CheckPace, usualPace } from './health-check.ts';
import { quoteForPeople } from './names.ts';

/** How the checks of an app are run, as it is set at the moment. Times in milliseconds. */
export type CheckSettings = {
  readonly pace: CheckPace;
  /** How long a process must run that neither listens nor has checks; undefined is what the platform gives. */
  readonly defaultWait?: number;
  /** How long requests in flight may keep what is replaced; undefined is what the platform gives. */
  readonly waitToRetire?: number;
  /** Whether a process type is deployed without waiting for its checks. */
  readonly skipped?: (type: string) => boolean;
  /** Whether it has no checks at all, and what runs of it ends before the new begins. */
  readonly disabled?: (type: string) => boolean;
};

/** Process types whose checks are left out; `_all_` is every one. */
export type CheckLists = { readonly skipped: readonly string[]; readonly disabled: readonly string[] };

export const allTypes = '_all_';

/** The names that `checks:skip` and `checks:disable` store them under. */
export const checkListKeys = { skipped: 'checks-skipped', disabled: 'checks-disabled' } as const;

/** What `checks:set` takes: whole numbers, seconds but for attempts. */
export const checkProperties = {
  attempts: { least: 1, most: 1000, usual: usualPace.attempts },
  'default-wait': { least: 0, most: 3600, usual: 1 },
  timeout: { least: 1, most: 3600, usual: usualPace.timeout / 1000 },
  wait: { least: 0, most: 3600, usual: usualPace.wait / 1000 },
  'wait-to-retire': { least: 0, most: 86_400, usual: 30 },
} as const;
export type CheckProperty = keyof typeof checkProperties;

/** The name that it is stored under. */
export function checkKey(property: CheckProperty): string {
  return `checks-${property}`;
}

/** @throws invalid */
export function parseCheckSetting(property: CheckProperty, text: string): number {
  const { least, most } = checkProperties[property];
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  const unit = property === 'attempts' ? 'a whole number' : 'whole seconds';
  throw new WherryError(
    'invalid',
    `${property} ${quoteForPeople(text)} is not valid. Give ${unit} from ${least} to ${most}.`,
  );
}

export function readCheckSettings(
  get: (key: string) => string | undefined,
  lists: CheckLists,
): CheckSettings {
  const number = (property: CheckProperty) => {
    const text = get(checkKey(property));
    return text === undefined ? undefined : parseCheckSetting(property, text);
  };
  const seconds = (property: CheckProperty) => {
    const found = number(property);
    return found === undefined ? undefined : found * 1000;
  };
  const [defaultWait, waitToRetire] = [seconds('default-wait'), seconds('wait-to-retire')];
  const has = (list: readonly string[]) => (type: string) => list.includes(type) || list.includes(allTypes);
  return {
    skipped: has(lists.skipped),
    disabled: has(lists.disabled),
    pace: {
      attempts: number('attempts') ?? usualPace.attempts,
      wait: seconds('wait') ?? usualPace.wait,
      timeout: seconds('timeout') ?? usualPace.timeout,
    },
    ...(defaultWait === undefined ? {} : { defaultWait }),
    ...(waitToRetire === undefined ? {} : { waitToRetire }),
  };
}

import type { Desired } from './runtime/runtime.ts';

/** Who is to run comes before who sleeps, and who was asked for last before who was not for long. */
export function mostWantedFirst<Wanted extends Pick<Desired, 'app' | 'asleep'>>(
  all: readonly Wanted[],
  lastAsked: (app: string) => number,
): readonly Wanted[] {
  const ranked = all.map(wanted => ({
    wanted,
    sleeps: wanted.asleep === undefined ? 0 : 1,
    at: lastAsked(wanted.app.name),
  }));
  return ranked
    .sort((one, other) => one.sleeps - other.sleeps || other.at - one.at)
    .map(({ wanted }) => wanted);
}

import semver from 'semver';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

/**
 * The newest release that a request such as `10.4.1`, `^9` or nothing at all means. `remedy` says where to ask for another.
 * @throws build-failed naming what can be had
 */
export function chooseTool(options: {
  title: string;
  request: string;
  available: readonly string[];
  remedy: string;
  /** Which versions are of use at all. */
  usable?: (version: string) => boolean;
}): string {
  const request = options.request.trim().toLowerCase();
  const { usable = () => true } = options;
  const stable = options.available.filter(version => semver.prerelease(version) === null && usable(version));
  const range = request === '' || request === 'latest' ? '*' : semver.validRange(request, { loose: true });
  const chosen = range === null ? null : semver.maxSatisfying(stable, range);
  if (chosen) return chosen;
  const majors = [...new Set(stable.map(version => semver.major(version)))].sort((a, b) => b - a).slice(0, 8);
  throw new WherryError(
    'build-failed',
    `${options.title} version ${quoteForPeople(options.request)} cannot be had. Set ${options.remedy} to one of ${majors.map(major => `${major}.x`).join(', ')}.`,
  );
}

/** Whether a version is one that is asked for. */
export function fits(version: string, request: string): boolean {
  const range = semver.validRange(request.trim(), { loose: true });
  return range !== null && semver.satisfies(version, range);
}

import semver from 'semver';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

const ltsMajors = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};
/** What an app gets that asks for nothing, and the highest major that an open range such as `>=20` leads to. */
const defaultMajor = 24;

/**
 * The version that a request from package.json's engines or .nvmrc means: of the versions that fit, the newest of a
 * long-term support line, or else the newest.
 * @throws build-failed naming what can be had
 */
export function chooseNode(request: string, available: readonly string[]): string {
  const stable = available.filter(version => semver.prerelease(version) === null);
  const range = rangeOf(request.trim().toLowerCase());
  const fitting =
    range === undefined ? [] : semver.rsort(stable.filter(version => semver.satisfies(version, range)));
  const supported = fitting.find(
    version => semver.major(version) % 2 === 0 && semver.major(version) <= defaultMajor,
  );
  const chosen = newest.has(request.trim().toLowerCase()) ? fitting[0] : (supported ?? fitting[0]);
  if (chosen) return chosen;
  const majors = [...new Set(stable.map(version => semver.major(version)))]
    .filter(major => major >= 16)
    .sort((a, b) => b - a);
  throw new WherryError(
    'build-failed',
    `Node version ${quoteForPeople(request)} cannot be had. Set engines.node in package.json to one of ${majors.map(major => `${major}.x`).join(', ')}.`,
  );
}

/** The major version of npm that Node's own distribution brings. */
export function npmRange(node: string): string {
  const major = semver.major(node);
  if (major >= 24) return '11.x';
  return major >= 18 ? '10.x' : major >= 16 ? '8.x' : '6.x';
}

/** What versions of npm need, newest first; later ones than these are taken to need no less. */
const npmNeeds = [
  [12, '^22.22.2 || ^24.15.0 || >=26.0.0'],
  [11, '^20.17.0 || >=22.9.0'],
  [10, '^18.17.0 || >=20.5.0'],
  [9, '^14.17.0 || ^16.13.0 || >=18.0.0'],
  [7, '>=12.13.0'],
  [0, '>=6.0.0'],
] as const;

/** Whether a version of npm runs on a version of Node. */
export function npmRunsOn(npm: string, node: string): boolean {
  const range = npmNeeds.find(([major]) => semver.major(npm) >= major)?.[1] ?? '*';
  return semver.satisfies(node, range);
}

const newest: ReadonlySet<string> = new Set(['node', 'latest', 'current', 'stable']);

function rangeOf(request: string): string | undefined {
  if (request === '' || request === 'lts/*' || request === 'lts') return `${defaultMajor}.x`;
  if (newest.has(request)) return '*';
  const codename = request.replace(/^lts\//, '');
  const major = Object.entries(ltsMajors).find(([name]) => name === codename)?.[1];
  return major === undefined ? (semver.validRange(request, { loose: true }) ?? undefined) : `${major}.x`;
}

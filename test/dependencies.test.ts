import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeAudit } from '../bin/audit-report.ts';

type Locked = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
};
type Lock = {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked & Partial<Manifest>>>;
};
type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const manifest = read('package.json') as Manifest;
const lock = read('package-lock.json') as Lock;

/** What is wrong with each package that the lock file names. */
function faults(packages: Lock['packages']): string[] {
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .flatMap(([path, { version, resolved, integrity, link }]) => [
      ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ? [] : [`${path} has no sum of its content`]),
      ...(/^\d+\.\d+\.\d+/.test(version ?? '') ? [] : [`${path} has no version`]),
      // Without an address a package comes from the registry that npm is set to.
      ...(resolved === undefined ? [] : [`${path} comes from an address of its own`]),
      ...(link ? [`${path} is a link`] : []),
      ...(path.startsWith('node_modules/') ? [] : [`${path} lies elsewhere`]),
    ]);
}

describe('the lock file', () => {
  it('has the sum of every package, and all of them from the registry', () => {
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
    expect(faults(lock.packages)).toEqual([]);
  });

  it('would be found out if it had not', () => {
    const integrity = `sha512-${'A'.repeat(86)}==`;
    expect(faults({ 'node_modules/a': { version: '1.0.0' } })).toHaveLength(1);
    expect(
      faults({ 'node_modules/a': { version: '1.0.0', integrity: `sha1-${'A'.repeat(27)}=` } }),
    ).toHaveLength(1);
    expect(
      faults({ 'node_modules/a': { version: '1.0.0', integrity, resolved: 'git+ssh://x' } }),
    ).toHaveLength(1);
    expect(faults({ '../a': { version: '1.0.0', integrity, link: true } })).toHaveLength(2);
    expect(faults({ 'node_modules/a': { version: '1.0.0', integrity } })).toEqual([]);
  });

  it('is of this package.json, which names exact versions', () => {
    const root = lock.packages[''];
    expect(root?.dependencies).toEqual(manifest.dependencies);
    expect(root?.devDependencies).toEqual(manifest.devDependencies);
    for (const [name, version] of Object.entries({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.devDependencies,
    })) {
      const [, exact] = /^(?:npm:[a-z0-9-]+@)?(\d+\.\d+\.\d+)$/.exec(version) ?? [];
      expect(exact, name).toBeDefined();
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(exact);
    }
  });

  it('lets one package alone run a script when it is installed', () => {
    expect(manifest.allowScripts).toEqual({ 'better-sqlite3': true });
    const scripts = Object.entries(lock.packages).filter(([, each]) => each.hasInstallScript);
    // Those of the others are not run: bin/setup installs without scripts, and builds that one.
    expect(scripts.map(([path]) => path.replace('node_modules/', '')).sort()).toEqual([
      ...['better-sqlite3', 'cpu-features', 'esbuild', 'ssh2'],
    ]);
    const setup = readFileSync(new URL('../bin/setup', import.meta.url), 'utf8');
    for (const line of setup
      .split('\n')
      .filter(each => /\bnpm (?:install|ci)\b/.test(each) && !/^ *#/.test(each)))
      expect(line).toContain('--ignore-scripts');
  });
});

describe('an audit', () => {
  const advisory = { severity: 'high', range: '<2', via: [{ title: 'Breaks' }, 'other'] };
  const report = (vulnerabilities: object) => JSON.stringify({ auditReportVersion: 2, vulnerabilities });

  it('is clean when the registry knows of nothing', () => {
    expect(judgeAudit(report({})).exitCode).toBe(0);
  });

  it('fails with what is weak, and why', () => {
    expect(judgeAudit(report({ left: advisory }))).toEqual({
      exitCode: 1,
      lines: [' !     left <2 (high): Breaks; by other'],
    });
  });

  it.each([
    ['', 'nothing'],
    ['{', 'half'],
    ['{}', 'no report'],
    ['{"statusCode":405,"body":""}', 'a refusal'],
    ['null', 'null'],
    ['{"auditReportVersion":2}', 'a report without findings'],
  ])('is none when the answer is %j (%s)', text => expect(judgeAudit(text).exitCode).toBe(75));
});

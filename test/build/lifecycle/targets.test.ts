import { describe, expect, it } from 'vitest';
import { fitsBase, type Target, targetsOf } from '../../../src/build/lifecycle/targets.ts';

const base = { os: 'linux', arch: 'amd64', variant: '', distro: { name: 'debian', version: '12' } };
const target = (fields: Partial<Target>): Target => ({
  os: '',
  arch: '',
  variant: '',
  distros: [],
  ...fields,
});
const distros = (...all: [string, string][]) => ({
  distros: all.map(([name, version]) => ({ name, version })),
});

describe('the targets of a buildpack', () => {
  it.each([
    [target({}), true],
    [target({ os: 'linux', arch: 'amd64', variant: 'v8' }), true],
    [target({ os: 'windows' }), false],
    [target({ os: 'linux', arch: 'arm64' }), false],
    [target(distros(['ubuntu', '22.04'])), false],
    [target(distros(['ubuntu', '22.04'], ['debian', '12'])), true],
    [target(distros(['debian', ''])), true],
    [target(distros(['debian', '11'])), false],
  ])('A6 match %j: %s', (one, fits) => {
    expect(fitsBase([one], base)).toBe(fits);
    expect(fitsBase([target({ os: 'windows' }), one], base)).toBe(fits);
  });

  it('A6 fail for a distribution when that of the base is not known', () => {
    const unknown = { ...base, distro: { name: '', version: '' } };
    expect(fitsBase([target(distros(['debian', '12']))], unknown)).toBe(false);
    expect(fitsBase([target({ os: 'linux' })], unknown)).toBe(true);
  });

  it('A6 come from its stacks where it has none: any, Ubuntu 18.04 for bionic, else any Linux', () => {
    const stacks = (...ids: string[]) =>
      targetsOf(
        [],
        ids.map(id => ({ id })),
      );
    expect(fitsBase(stacks('*'), { ...base, os: 'windows' })).toBe(true);
    expect(fitsBase(stacks('io.buildpacks.stacks.bionic'), base)).toBe(false);
    expect(fitsBase(stacks('io.buildpacks.stacks.bionic', '*'), base)).toBe(true);
    expect(fitsBase(stacks('heroku-24'), base)).toBe(true);
    expect(fitsBase(stacks(), { ...base, os: 'windows' })).toBe(false);
    expect(targetsOf([target({ os: 'x' })], [{ id: '*' }])).toEqual([target({ os: 'x' })]);
  });
});

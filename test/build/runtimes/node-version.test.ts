import { describe, expect, it } from 'vitest';
import { chooseNode, npmRange, npmRunsOn } from '../../../src/build/runtimes/node-version.ts';

const available = [
  '18.20.8',
  '20.9.0',
  '20.20.2',
  '21.7.3',
  '22.23.3',
  '23.11.0',
  '24.21.0',
  '25.9.0',
  '26.10.0',
  '27.0.0-rc.1',
];

describe('the version of Node', () => {
  it.each([
    ['', '24.21.0'],
    ['20', '20.20.2'],
    ['20.x', '20.20.2'],
    ['v20.9.0', '20.9.0'],
    ['^22.1', '22.23.3'],
    ['>=18 <21', '20.20.2'],
    ['>=20', '24.21.0'],
    ['*', '24.21.0'],
    ['>=25', '26.10.0'],
    ['23', '23.11.0'],
    ['lts/*', '24.21.0'],
    ['lts/iron', '20.20.2'],
    ['LTS/Jod', '22.23.3'],
    ['node', '26.10.0'],
    ['latest', '26.10.0'],
  ])('for %j is %s', (request, version) => {
    expect(chooseNode(request, available)).toBe(version);
  });

  it.each(['3.14', 'twenty', '$(id)', '99.x', 'lts/nothing'])(
    'cannot be had for %j, which says what can',
    request => {
      expect(() => chooseNode(request, available)).toThrow(
        /cannot be had\. Set engines\.node .* 26\.x, 25\.x, 24\.x/,
      );
    },
  );

  it('comes with the npm of its own distribution', () => {
    expect(['16.0.0', '18.1.0', '20.20.2', '22.0.0', '24.1.0', '26.0.0'].map(npmRange)).toEqual([
      '8.x',
      '10.x',
      '10.x',
      '10.x',
      '11.x',
      '11.x',
    ]);
  });
});

describe('a version of npm', () => {
  it.each([
    ['12.2.0', '20.20.2', false],
    ['11.0.0', '20.20.2', true],
    ['11.0.0', '18.20.8', false],
    ['10.9.0', '18.20.8', true],
    ['6.14.0', '8.17.0', true],
    ['99.0.0', '26.0.0', true],
  ])('%s on Node %s: %s', (npm, node, runs) => {
    expect(npmRunsOn(npm, node)).toBe(runs);
  });
});

import { describe, expect, it } from 'vitest';
import { chooseTool } from '../../../src/build/runtimes/tool-version.ts';

const available = ['8.15.9', '9.15.9', '10.4.1', '10.34.9', '11.0.0', '12.0.0-rc.1'];
const choose = (request: string) =>
  chooseTool({ title: 'pnpm', request, available, remedy: 'packageManager in package.json' });

describe('the version of a package manager', () => {
  it.each([
    ['', '11.0.0'],
    ['latest', '11.0.0'],
    ['10.4.1', '10.4.1'],
    ['10', '10.34.9'],
    ['^9.1', '9.15.9'],
    ['>=8 <10', '9.15.9'],
    ['v8.15.9', '8.15.9'],
  ])('for %j is %s', (request, version) => {
    expect(choose(request)).toBe(version);
  });

  it.each(['7', 'nonsense', '12.0.0', '10.4.1; rm -rf /'])(
    'that cannot be had is refused naming what can: %s',
    request => {
      expect(() => choose(request)).toThrow(
        `pnpm version "${request}" cannot be had. Set packageManager in package.json to one of 11.x, 10.x, 9.x, 8.x.`,
      );
    },
  );
});

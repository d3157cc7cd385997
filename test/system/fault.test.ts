import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { faultPoints, parseFault } from '../../src/domain/fault.ts';
import { armFault, faultPoint } from '../../src/system/fault.ts';

afterEach(() => armFault(undefined));

it('does nothing at any point of a daemon that was not started to break', async () => {
  armFault(parseFault(''));
  for (const point of Object.keys(faultPoints)) await faultPoint(point as keyof typeof faultPoints);
});

it('breaks at the point that was named, once, and at no other', async () => {
  armFault(parseFault('build:detect:error'));
  await faultPoint('build:layers');
  await expect(faultPoint('build:detect')).rejects.toThrow('asked for at build:detect');
  await faultPoint('build:detect');
});

it('kills unless told otherwise', () => {
  expect(parseFault('deploy:ready')).toEqual({ point: 'deploy:ready', way: 'kill' });
  expect(parseFault('deploy:ready:stop')).toEqual({ point: 'deploy:ready', way: 'stop' });
});

it.each(['build', 'build:', 'build:detect:', 'build:detect:maim', ':kill', 'constructor', 'BUILD:DETECT'])(
  'refuses %j, and names the points',
  text => {
    expect(() => parseFault(text)).toThrow(/is no fault point\. Give one of .*build:detect/);
  },
);

it('has a place in the sources for every point', () => {
  const src = new URL('../../src', import.meta.url).pathname;
  const text = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => readFileSync(join(src, path), 'utf8'))
    .join('\n');
  const missing = Object.keys(faultPoints).filter(point => !text.includes(`await faultPoint('${point}')`));
  expect(missing).toEqual([]);
});

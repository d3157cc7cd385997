import { expect, it } from 'vitest';
import { backOff, howItEnded, remedy } from '../../src/runtime/exits.ts';

const oom = { scope: 'instance', limit: 64 * 2 ** 20, peak: 64 * 2 ** 20 } as const;

it('tells a status, a signal and a memory kill apart', () => {
  const at = new Date();
  expect(howItEnded({ code: 3, at })).toBe('exited with status 3');
  expect(howItEnded({ code: 137, at })).toBe('was ended by signal 9');
  expect(howItEnded({ code: 137, at, oom })).toBe(
    'was killed by the kernel at its memory limit of 64m (peak 64m)',
  );
});

it('names the command that gives more memory, for the limit that was met', () => {
  expect(remedy('blog', 'web', oom)).toBe('resource:limit --memory 128m --process-type web blog');
  expect(remedy('blog', 'web', { ...oom, scope: 'group' })).toBe('quota:set blog --memory 128m');
});

it('backs off from 1 s to 60 s with a fifth of jitter', () => {
  expect(backOff(0, () => 0.5)).toBe(1000);
  expect(backOff(3, () => 0.5)).toBe(8000);
  expect(backOff(50, () => 0.5)).toBe(60_000);
  expect(backOff(0, () => 0)).toBe(800);
  expect(backOff(0, () => 1)).toBe(1200);
});

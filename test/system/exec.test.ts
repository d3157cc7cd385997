import { expect, it } from 'vitest';
import { ExecError, exec } from '../../src/system/exec.ts';

it('passes arguments as they are, without a shell', async () => {
  const { stdout } = await exec('printf', ['%s|', '$(id)', ';id', 'a b']);
  expect(stdout).toBe('$(id)|;id|a b|');
});

it('inherits nothing of the environment but PATH', async () => {
  process.env['WHERRY_TEST_SECRET'] = 'x';
  const { stdout } = await exec('env', []);
  delete process.env['WHERRY_TEST_SECRET'];
  expect(stdout).not.toContain('WHERRY_TEST_SECRET');
});

it('tells status and what was said on stderr', async () => {
  await expect(exec('ls', ['/does/not/exist'])).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('No such file'),
  });
});

it('ends a program that takes too long or prints too much', async () => {
  await expect(exec('sleep', ['10'], { timeout: 50 })).rejects.toMatchObject({ timedOut: true });
  await expect(exec('yes', [], { maxOutput: 1000 })).rejects.toThrow('printed too much');
});

it('is an ExecError when there is no such program', async () => {
  await expect(exec('no-such-program-here', [])).rejects.toBeInstanceOf(ExecError);
});

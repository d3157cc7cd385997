import { describe, expect, it } from 'vitest';
import { sshTarget } from '../../src/moving/target.ts';
import { freePorts } from '../support/ports.ts';

const { signal } = new AbortController();

describe('a Wherry elsewhere', () => {
  it('is sent no words that may be a secret: they would be seen on this host', async () => {
    const target = sshTarget({ user: 'wherry', host: '127.0.0.1', port: 1 }, signal);
    const step = { words: ['docker-options:add', 'blog', 'build', '--build-arg A=secret-1'], shown: ['x'] };
    await expect(target(step)).rejects.toMatchObject({ code: 'invalid' });
    await expect(target(step)).rejects.not.toThrow(/secret-1/);
  });

  it('that does not answer is told with what to try', async () => {
    const [port = 1] = await freePorts(1);
    const target = sshTarget({ user: 'wherry', host: '127.0.0.1', port }, signal);
    await expect(target({ words: ['apps:list'] })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'wherry@127.0.0.1 cannot be reached by ssh. Try: wherry apps:list',
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { defineCommand } from '../../src/commands/define.ts';
import { app } from '../../src/commands/kinds.ts';
import { WherryError } from '../../src/domain/errors.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

/** A command for tests, which does what it is given. */
const doing = (name: string, run: () => unknown) =>
  defineCommand({
    name,
    summary: 'Do what the test says',
    args: { app },
    access: { app: 'write' },
    effect: 'write',
    run,
    text: result => [String(result)],
  });

describe('help', () => {
  it.each([[[]], [['help']], [['--help']], [['-h']]])('is what %j gives', async words => {
    const { code, stdout, stderr } = await bench.run(...words);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ps:scale <app>/);
    expect(stderr).toBe('');
  });

  it('of a namespace is the same in every way to ask for it', async () => {
    const asked = [['apps'], ['apps:help'], ['apps', '--help'], ['help', 'apps'], ['help', 'apps:help']];
    const answers = await Promise.all(asked.map(words => bench.run(...words)));
    expect(new Set(answers.map(answer => answer.stdout)).size).toBe(1);
    expect(answers[0]?.stdout).toContain('apps:create <app>');
    expect(answers.every(answer => answer.code === 0)).toBe(true);
  });

  it('of a command tells usage, flags and examples, and runs nothing', async () => {
    const { stdout, code } = await bench.run('apps:create', 'blog', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: apps:create <app>');
    expect(bench.store.apps.list()).toEqual([]);
    expect((await bench.run('help', 'logs')).stdout).toContain('-n|--num <lines>');
  });

  it('of what is unknown fails', async () => {
    expect(await bench.run('help', 'nothing')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('a command that is not known', () => {
  it('fails with dokku’s text and a way on', async () => {
    const { code, stdout, stderr } = await bench.run('apps:lst');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      ' !     `apps:lst` is not a wherry command.\n !     Did you mean apps:list? See `wherry help` for a list of available commands.\n',
    );
  });
});

describe('the version', () => {
  it('is told to everybody', async () => {
    for (const words of [['version'], ['--version'], ['-v']])
      expect(await bench.run(...words)).toEqual({ code: 0, stdout: 'wherry version 1.2.3\n', stderr: '' });
  });
});

describe('an error', () => {
  it('is one sentence on stderr, with the exit status of its code', async () => {
    const { code, stdout, stderr } = await bench.run('ps:report', 'nobody');
    expect({ code, stdout, stderr }).toEqual({
      code: 20,
      stdout: '',
      stderr: ' !     App nobody does not exist\n',
    });
  });

  it('is JSON on stdout when that is asked for, even of a line that does not parse', async () => {
    const missing = await bench.run('urls', 'nobody', '--format', 'json');
    expect(JSON.parse(missing.stdout)).toEqual({
      error: { code: 'app-not-found', message: 'App nobody does not exist' },
    });
    const wrong = await bench.run('urls', '--nope', '--format=json');
    expect(JSON.parse(wrong.stdout).error).toMatchObject({ code: 'usage', hint: 'Usage: urls <app>' });
    expect(wrong.code).toBe(2);
  });

  it('of Wherry itself is logged under an id and tells nothing else', async () => {
    bench.registry.add(
      doing('test:bug', () => {
        throw new TypeError('secret detail');
      }),
    );
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('test:bug', 'blog');
    const id = /fault of its own \(([0-9a-f]{8})\); see the daemon log\./.exec(stderr)?.[1];
    expect(code).toBe(1);
    expect(stderr).not.toContain('secret detail');
    const line = bench.logged.find(each => each['id'] === id);
    expect(line).toMatchObject({ level: 'error', command: 'test:bug' });
    expect(line?.['err']).toMatch(/TypeError: secret detail/);
  });
});

describe('access', () => {
  const alice: Actor = { name: 'alice', via: 'ssh', fingerprint: 'SHA256:alice' };

  it('ends with the removal of a key, on open connections too', async () => {
    bench.store.people.ensure('alice', new Date());
    bench.store.people.grant('alice', 'owner');
    bench.store.keys.add({
      name: 'alice',
      fingerprint: 'SHA256:alice',
      publicKey: 'ssh-ed25519 x',
      createdAt: new Date(),
    });
    expect((await bench.runWith({ words: ['apps:list'], actor: alice })).code).toBe(0);
    bench.store.keys.remove('SHA256:alice');
    const refused = await bench.runWith({ words: ['apps:create', 'blog'], actor: alice });
    expect(refused.code).toBe(21);
    expect(refused.stderr).toMatch(/Access denied/);
    expect(bench.store.apps.list()).toEqual([]);
    expect((await bench.runWith({ words: ['help'], actor: alice })).code).toBe(0);
  });
});

describe('the lock of an app', () => {
  beforeEach(() => bench.run('apps:create', 'blog'));

  it('makes two changes of one app run one after the other', async () => {
    const order: string[] = [];
    let first = true;
    bench.registry.add(
      doing('test:slow', async () => {
        const name = first ? 'first' : 'second';
        first = false;
        order.push(`${name} begins`);
        await new Promise(resolve => setTimeout(resolve, 20));
        order.push(`${name} ends`);
      }),
    );
    const [, second] = await Promise.all([bench.run('test:slow', 'blog'), bench.run('test:slow', 'blog')]);
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
    expect(second?.stdout).toContain('Waiting for test:slow by local to end');
  });

  it('does not hold up reading, nor another app', async () => {
    await bench.run('apps:create', 'other');
    await bench.locks.with('blog', { holder: 'a deploy', wait: 0 }, async () => {
      for (const words of [
        ['ps:scale', 'blog'],
        ['ps:report', 'blog'],
        ['resource:limit', 'blog'],
        ['domains:clear', 'other'],
      ])
        expect((await bench.run(...words)).code, words.join(' ')).toBe(0);
    });
  });

  it('is not taken while the person is asked to confirm', async () => {
    let holder: string | undefined = 'never asked';
    const command = bench.registry.find('apps:destroy');
    bench.registry.add({
      ...command,
      name: 'test:confirm',
      confirm: (context, input) => {
        holder = bench.locks.holder('blog');
        return command.confirm?.(context, input) ?? { warning: '', word: '' };
      },
    });
    await bench.runWith({ words: ['test:confirm', 'blog'], stdin: 'blog\n' });
    expect(holder).toBeUndefined();
  });

  it('is let go when the client leaves while waiting', async () => {
    const client = new AbortController();
    await bench.locks.with('blog', { holder: 'a deploy', wait: 0 }, async () => {
      const waiting = bench.runWith({ words: ['domains:clear', 'blog'], signal: client.signal });
      client.abort();
      expect(await waiting).toMatchObject({ code: 130, stderr: '' });
    });
    expect((await bench.run('domains:clear', 'blog')).code).toBe(0);
  });
});

describe('the audit', () => {
  it('names actor, command, app and outcome of every change', async () => {
    await bench.run('apps:create', 'blog');
    await bench.run('apps:create', 'blog');
    await bench.run('apps:list');
    const lines = bench.logged.filter(line => line['message'] === 'command' && line['level'] === 'info');
    expect(lines).toMatchObject([
      { actor: 'local', via: 'local', command: 'apps:create', app: 'blog', result: 'ok' },
      { actor: 'local', command: 'apps:create', app: 'blog', result: 'invalid' },
    ]);
  });

  it('never holds a config value', async () => {
    await bench.deployed('blog');
    await bench.run('config:set', 'blog', 'TOKEN=hunter2', 'bad key=hunter2');
    await bench.run('config:set', 'blog', 'TOKEN=hunter2');
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not start.');
    await bench.run('config:set', 'blog', 'TOKEN=hunter2');
    bench.runtime.says.fault = new Error('a bug');
    await bench.run('config:set', 'blog', 'TOKEN=hunter2');
    expect(bench.logged.length).toBeGreaterThan(2);
    expect(JSON.stringify(bench.logged)).not.toContain('hunter2');
    expect((await bench.run('events', 'blog')).stdout).not.toContain('hunter2');
    expect((await bench.run('releases', 'blog')).stdout).not.toContain('hunter2');
  });
});

describe('--quiet, --format and --trace', () => {
  it('drop headers, not values', async () => {
    await bench.run('apps:create', 'blog');
    await bench.run('config:set', 'blog', 'A======> not a header');
    expect((await bench.run('--quiet', 'apps:list')).stdout).toBe('blog\n');
    expect((await bench.run('--quiet', 'config:get', 'blog', 'A')).stdout).toBe('=====> not a header\n');
  });

  it('keep stdout for the JSON alone', async () => {
    const made = await bench.run('apps:create', 'blog', '--format', 'json');
    expect(JSON.parse(made.stdout)).toEqual({ app: 'blog', domains: ['blog.example.org'] });
    expect(made.stderr).toBe('-----> Creating blog...\n');
  });

  it('tell the time of each part', async () => {
    const { stderr } = await bench.run('--trace', 'apps:list', '--quiet');
    expect(stderr).toMatch(/^trace: apps:list parse [\d.]+ ms, run [\d.]+ ms, print [\d.]+ ms$/m);
  });
});

describe('a client that is still there', () => {
  it('is told when somebody else stops what it waits for', async () => {
    const stopped = new WherryError('interrupted', 'Build 3 of blog was canceled by ann.');
    bench.registry.add(doing('test:stopped', () => Promise.reject(stopped)));
    await bench.run('apps:create', 'blog');
    expect(await bench.run('test:stopped', 'blog')).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('Build 3 of blog was canceled by ann.'),
    });
  });
});

describe('a client that is gone', () => {
  it('ends the command with 130 and is told nothing', async () => {
    await bench.deployed('blog');
    const client = new AbortController();
    bench.runtime.says.during = async () => {
      client.abort(new Error('gone'));
      throw client.signal.reason;
    };
    const ended = await bench.runWith({ words: ['ps:restart', 'blog'], signal: client.signal });
    expect(ended).toMatchObject({ code: 130, stderr: '' });
  });
});

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('a command in an app', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const files = { Procfile: 'web: node server.js\nshout: echo LOUD\n' };
    const pushed = await (await wherry.repository('app', { from: probe, files })).push();
    expect(pushed.code, pushed.output).toBe(0);
    await wherry.cli('config:set', 'app', 'GREETING=ahoy', '--no-restart');
  });
  afterAll(() => wherry?.stop());

  /** ssh with a terminal, whose input is what the test types. */
  function terminal(...words: string[]) {
    const child = spawn('ssh', ['-tt', ...wherry.sshFlags, '--', ...words], { stdio: 'pipe' });
    let text = '';
    child.stdout.on('data', piece => (text += piece));
    const code = new Promise<number | null>(resolve => child.once('close', resolve));
    return { child, code, text: () => text, type: (keys: string) => child.stdin.write(keys) };
  }

  it('runs in an instance of its own, with status, output, errors and environment', async () => {
    const ran = await wherry.ssh('run', 'app', "'echo $GREETING $DYNO; echo oops >&2; exit 3'");
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(/^ahoy run\.\d{4}\n$/);
    expect(ran.stderr).toBe('oops\n');
    expect((await wherry.ssh('run:list', 'app')).stdout).toBe('');
  });

  it('takes words as they are, variables of its own, and processes by name', async () => {
    const words = await wherry.ssh('run', 'app', 'node', '-p', "'process.argv.slice(1).concat([1+1])'");
    expect(words.stdout).toBe('[ 2 ]\n');
    expect(
      (await wherry.cli('run', '-e', 'EXTRA=a b,OTHER=c', 'app', 'printenv', 'EXTRA', 'OTHER')).stdout,
    ).toBe('a b\nc\n');
    expect((await wherry.ssh('run', 'app', 'shout')).stdout).toBe('LOUD\n');
  });

  it('reads what is piped to it', async () => {
    const ran = await wherry.cliWith('one\ntwo\n', 'run', 'app', 'wc', '-l');
    expect(ran.stdout.trim()).toBe('2');
  });

  it('gets a terminal where the client has one, and its size', async () => {
    const { code, text, type } = terminal('run', 'app', 'sh');
    await until('a prompt', () => text().includes('$'));
    type('tty; stty size; exit 4\r');
    expect(await code).toBe(4);
    expect(text()).toMatch(/\/dev\/pts\/0\r\n24 80\r\n/);
  });

  it('ends with its client, and leaves no instance', async () => {
    const { child, text, type, code } = terminal('run', 'app', 'sh');
    await until('a prompt', () => text().includes('$'));
    type('sleep 1000\r');
    expect((await wherry.ssh('run:list', 'app')).stdout).toContain('attached');
    child.kill('SIGKILL');
    await code;
    await until('the instance is gone', async () => (await wherry.ssh('run:list', 'app')).stdout === '');
  });

  it('may be left to itself, watched in the log, and stopped', async () => {
    const started = await wherry.ssh('run:detached', 'app', "'echo begun; sleep 1000'");
    const name = started.stdout.trim();
    expect(name).toMatch(/^run\.\d{4}$/);
    await until('its output', async () =>
      (await wherry.ssh('run:logs', 'app', name)).stdout.includes('begun'),
    );
    await wherry.kill();
    await wherry.start();
    expect((await wherry.ssh('run:list', 'app')).stdout).toContain(name);
    expect((await wherry.ssh('run:stop', 'app', name)).code).toBe(0);
    expect((await wherry.ssh('run:list', 'app')).stdout).toBe('');
    const gone = await wherry.ssh('run:stop', 'app', name);
    expect(gone.stderr).toContain(`App app runs no one-off ${name}`);
  });

  it('may be inside what runs', async () => {
    const entered = await wherry.ssh('enter', 'app', 'web', "'echo $DYNO; exit 5'");
    expect([entered.code, entered.stdout]).toEqual([5, 'web.1\n']);
    expect((await wherry.ssh('enter', 'app', 'web.7', 'ls')).stderr).toContain(
      'App app has no instance web.7',
    );
    await wherry.cli('sleep:now', 'app', '--depth', 'light');
    expect((await wherry.ssh('enter', 'app', 'web', 'ls')).stderr).toContain('web.1 of app sleeps');
    await wherry.get('app');
  });

  it('is refused where nothing is deployed, or JSON is asked for', async () => {
    await wherry.cli('apps:create', 'empty');
    expect((await wherry.ssh('run', 'empty', 'ls')).stderr).toContain('App empty has not been deployed');
    expect((await wherry.ssh('--format', 'json', 'run', 'app', 'ls')).output).toContain('has no JSON');
  });

  it('that is one of ours, on a terminal, has whole lines and ends with control-C', async () => {
    const { code, text, type } = terminal('logs', 'app', '-t');
    await until('a line of the log', () => text().includes('app['));
    expect(text()).toMatch(/\r\n/);
    expect(text().replaceAll('\r\n', '')).not.toContain('\n');
    type('\x03');
    expect(await code).not.toBe(0);
  });
});

describe('cron', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
  });
  afterAll(() => wherry?.stop());

  it('runs what app.json says, each minute and when it is told to, and tells of failures', async () => {
    const cron = [
      { command: 'echo tick of $DYNO', schedule: '* * * * *' },
      { command: 'exit 7', schedule: '@yearly' },
    ];
    const files = { 'app.json': JSON.stringify({ cron }) };
    const pushed = await (await wherry.repository('app', { from: probe, files })).push();
    expect(pushed.code, pushed.output).toBe(0);
    const listed = JSON.parse((await wherry.ssh('cron:list', 'app', '--format', 'json')).stdout);
    expect(listed).toMatchObject([{ command: 'echo tick of $DYNO' }, { command: 'exit 7' }]);
    expect((await wherry.ssh('cron:run', 'app', listed[1].id)).stdout).toMatch(/^cron\.\d{4}\n$/);
    await until('the failure is told', async () =>
      (await wherry.cli('events', 'app')).stdout.includes('"exit 7" (cron.'),
    );
    await until(
      'the minute has come',
      async () => /tick of cron\.\d{4}/.test((await wherry.cli('logs', 'app')).stdout),
      { timeout: 80_000 },
    );
    await until('no instance is left', async () => (await wherry.cli('run:list', 'app')).stdout === '');
  }, 180_000);
});

describe('storage', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
  });
  afterAll(() => wherry?.stop());

  it('outlives releases, is written by the app and seen by commands', async () => {
    await wherry.cli('apps:create', 'app');
    expect((await wherry.cli('storage:ensure-directory', 'app')).code).toBe(0);
    expect((await wherry.cli('storage:mount', 'app', 'app:/data')).code).toBe(0);
    const pushed = await (await wherry.repository('app', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
    await wherry.get('app', '/write?path=/data/kept');
    expect((await wherry.cli('ps:restart', 'app')).code).toBe(0);
    expect((await wherry.get('app', '/read?path=/data/kept')).text).toBe('x');
    expect((await wherry.cli('run', 'app', 'cat', '/data/kept')).stdout).toBe('x');
  });
});

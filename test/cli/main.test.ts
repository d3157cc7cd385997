import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerOffline } from '../../src/cli/offline.ts';
import { toggle } from '../../src/commands/args.ts';
import { defineCommand } from '../../src/commands/define.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { app } from '../../src/commands/kinds.ts';
import { keepHelp } from '../../src/plugin/help-file.ts';
import { spawn } from '../../src/system/exec.ts';
import { silentLog } from '../../src/system/log.ts';
import { startApi } from '../api/support.ts';
import { run } from '../support/run.ts';

const greet = defineCommand({
  name: 'greet:app',
  summary: 'Greet an app',
  args: { app },
  flags: { loud: toggle({ help: 'so that all hear it' }) },
  access: { app: 'read' },
  effect: 'read',
  run: () => null,
  text: () => [],
});

/** The client from its sources, in a process of its own. */
const client = [
  process.execPath,
  '--import',
  'tsx',
  '--input-type=module',
  '-e',
  `import { runCli } from ${JSON.stringify(fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)))};
   process.exitCode = await runCli(process.argv.slice(1));`,
  '--',
] as const;

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
});
afterEach(() => started.close());

const [node, ...nodeArgs] = client;
const cli = (words: string[], input = '') =>
  run(node, [...nodeArgs, '--data', started.folder, ...words], { input });

describe('the client', () => {
  it('passes words, output, errors and the exit status through', async () => {
    expect(await cli(['apps:create', 'blog'])).toMatchObject({
      code: 0,
      stdout: '-----> Creating blog...\n',
    });
    const value = ' "quotes" \' $HOME é世\n\\n ';
    expect((await cli(['config:set', 'blog', `A=${value}`])).code).toBe(0);
    expect((await cli(['config:get', 'blog', 'A'])).stdout).toBe(`${value}\n`);
    expect(await cli(['apps:exists', 'nobody'])).toMatchObject({
      code: 20,
      stderr: ' !     App nobody does not exist\n',
    });
  });

  it('sends standard input when the command reads it', async () => {
    await cli(['apps:create', 'blog']);
    expect((await cli(['apps:destroy', 'blog'], 'no\n')).code).toBe(2);
    expect((await cli(['apps:destroy', 'blog'], 'blog\n')).code).toBe(0);
  });

  it('leaves the standard input of a script alone when the command does not read it', async () => {
    const script = '"$@" >/dev/null && cat';
    const args = ['-c', script, 'bash', node, ...nodeArgs, '--data', started.folder, 'version'];
    expect((await run('bash', args, { input: 'the next line' })).stdout).toBe('the next line');
  });

  it('says how to start the daemon when there is none, and gives 75', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'wherry-cli-'));
    const { code, stderr } = await run(node, [...nodeArgs, '--data', empty, 'apps:list']);
    expect(code).toBe(75);
    expect(stderr).toBe(
      ` !     Wherry is not running on ${empty}. Start it with "wherry daemon --data ${empty}", or name another directory with --data.\n`,
    );
    rmSync(empty, { recursive: true });
  });

  it('helps without a daemon, and sends what only looks like a question to one', async () => {
    const without = (words: string[]) => run(node, [...nodeArgs, '--data', '/nowhere', ...words]);
    expect(await without(['help', 'ps:scale'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: ps:scale <app>/),
    });
    expect((await without(['apps:exists', 'help'])).code).toBe(75);
  });

  it('knows all commands, its version and completion by itself', async () => {
    for (const words of [[], ['help'], ['--help']])
      expect(await answerOffline(words, '/nowhere'), words.join(' ')).toContain('ps:scale <app>');
    expect(await answerOffline(['version'], '/nowhere')).toMatch(/^wherry version \d+\.\d+\.\d+\n$/);
    expect(await answerOffline(['completion', 'bash'], '/nowhere')).toContain('complete -F _wherry wherry');
    expect(await answerOffline(['completion', 'tcsh'], '/nowhere')).toBeUndefined();
    expect(await answerOffline(['help', 'nonsense'], '/nowhere')).toBeUndefined();
  });

  it('knows the commands of plugins that a daemon wrote down, and does without what is damaged', async () => {
    const data = mkdtempSync(join(tmpdir(), 'wherry-cli-help-'));
    const registry = createCoreRegistry();
    const help = keepHelp(registry, { file: join(data, 'plugin-commands.json'), log: silentLog });
    help.registry.add(greet);
    help.registry.add({ ...greet, name: 'greet:gone' });
    help.registry.remove('greet:gone');
    help.stop();
    help.registry.remove('greet:app');
    expect(await answerOffline(['help'], data)).toMatch(/greet:app <app> +Greet an app/);
    expect(await answerOffline(['help', 'greet:app'], data)).toMatch(/Usage: greet:app \[--loud\] <app>/);
    expect(await answerOffline(['help'], data)).not.toContain('greet:gone');
    for (const text of ['{', '[]', '[{"name":"greet:app"}]', '[{"name":1}]']) {
      writeFileSync(join(data, 'plugin-commands.json'), text);
      expect(await answerOffline(['help', 'greet:app'], data)).toBeUndefined();
      expect(await answerOffline(['help', 'ps:scale'], data)).toContain('Usage: ps:scale');
    }
    rmSync(data, { recursive: true });
  });

  it('ends the command on Ctrl-C, and gives 130', async () => {
    await started.bench.deployed('blog');
    let signal: AbortSignal | undefined;
    started.bench.runtime.logs = async function* (_app, query) {
      signal = query.signal;
      yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'first' };
      await new Promise<void>(resolve => query.signal?.addEventListener('abort', () => resolve()));
    };
    const child = spawn(node, [...nodeArgs, '--data', started.folder, 'logs', 'blog', '-t'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (!child.stdout) throw new Error('no output');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  it('ends quietly when nobody reads its output any more', async () => {
    await started.bench.deployed('blog');
    started.bench.runtime.logs = async function* (_app, query) {
      while (!query.signal?.aborted)
        yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'x'.repeat(500) };
    };
    const child = spawn(node, [...nodeArgs, '--data', started.folder, 'logs', 'blog', '-t'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr?.on('data', chunk => {
      errors += chunk;
    });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const [code] = await once(child, 'exit');
    expect(code).toBe(141);
    expect(errors).toBe('');
  });
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe, shellApp } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { type Run, run } from '../support/run.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('an app that cannot be built or started', () => {
  let wherry: Wherry;
  let good: Repository;
  beforeAll(async () => {
    wherry = await startWherry();
    good = await wherry.repository('good', { from: probe });
    const pushed = await good.push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  /** Pushes changed files to the running app, takes them back, and holds that the old release still serves. */
  const pushBroken = async (files: Readonly<Record<string, string>>): Promise<Run> => {
    const before = (await good.git('rev-parse', 'HEAD')).stdout.trim();
    good.write(files);
    await good.commit('Break it');
    const pushed = await good.push();
    await good.git('reset', '--quiet', '--hard', before);
    await good.git('clean', '-fdq');
    expect(pushed.code, pushed.output).not.toBe(0);
    expect(pushed.stderr).toMatch(/rejected|declined/);
    expect((await wherry.get('good')).text).toBe('probe one');
    return pushed;
  };

  it('is refused for a Procfile that does not parse, by its line', async () => {
    const { stderr } = await pushBroken({ Procfile: 'web node server.js\n' });
    expect(stderr).toMatch(/Procfile/);
  });

  it('is refused for an app.json that does not parse', async () => {
    const { stderr } = await pushBroken({ 'app.json': '{ "healthchecks": ' });
    expect(stderr).toMatch(/app\.json/);
  });

  it('is refused for a package.json that does not parse', async () => {
    const { stderr } = await pushBroken({ 'package.json': '{ nope' });
    expect(stderr).toMatch(/package\.json/);
  });

  it('is refused for a lock file that is out of step, with the remedy', async () => {
    const { stderr } = await pushBroken({
      'package.json': JSON.stringify({ name: 'probe', type: 'module', dependencies: { express: '^5.1.0' } }),
      'package-lock.json': JSON.stringify({
        name: 'probe',
        lockfileVersion: 3,
        requires: true,
        packages: { '': { name: 'probe' } },
      }),
    });
    expect(stderr).toMatch(/package-lock\.json/);
    expect(stderr).toMatch(/npm install/);
  });

  it('leaves no refused commit behind in its repository', async () => {
    const kept = (await good.git('rev-parse', 'HEAD')).stdout.trim();
    const refs = (await good.git('ls-remote', 'wherry')).stdout.trim().split('\n');
    expect(new Set(refs.map(line => line.split('\t')[0]))).toEqual(new Set([kept]));
    const refused = (
      await good.git('rev-list', '--reflog', '--max-count=1', '--grep=Break it')
    ).stdout.trim();
    expect(refused).toMatch(/^[0-9a-f]{40}$/);
    const held = (commit: string) =>
      run('git', ['--git-dir', bareRepository(wherry.data), 'cat-file', '-e', commit], {
        env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' },
      });
    expect((await held(kept)).code).toBe(0);
    expect((await held(refused)).code).not.toBe(0);
  });

  it('shows its own last words when it exits at once', async () => {
    const pushed = await (
      await wherry.repository('exits', { files: shellApp('echo my last words; exit 3') })
    ).push();
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('my last words');
    expect(pushed.stderr).toMatch(/3/);
  });

  it('is told of the memory kill when it starves at boot', async () => {
    const line = `node -e "const eaten=[]; for (;;) eaten.push(Buffer.alloc(2**20,1))"`;
    const pushed = await pushBroken({ Procfile: `web: ${line}\n` });
    expect(pushed.stderr).toMatch(/memory/i);
    expect(pushed.stderr).toMatch(/512/);
  });

  it('is refused when it never listens or listens on another port, and the old release stays', async () => {
    const silent = await wherry.repository('silent', { files: shellApp('echo I only sleep; sleep 1000') });
    const deaf = wherry.repository('deaf', {
      from: probe,
      files: { Procfile: 'web: PORT=4321 node server.js\n' },
    });
    const [one, two] = await Promise.all([silent.push(), (await deaf).push()]);
    expect(one?.code).not.toBe(0);
    expect(one?.stderr).toContain('I only sleep');
    expect(one?.stderr).toMatch(/PORT/);
    expect(two?.code).not.toBe(0);
    expect(two?.stderr).toMatch(/PORT/);
    expect((await wherry.get('good')).text).toBe('probe one');
    expect((await wherry.get('silent')).status).toBe(404);
  });
});

/** The one repository whose name begins with the app's. */
function bareRepository(data: string): string {
  const name = readdirSync(join(data, 'repos')).find(entry => entry.startsWith('good'));
  return join(data, 'repos', name ?? 'missing');
}

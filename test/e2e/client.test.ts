import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawn } from '../../src/system/exec.ts';
import { probe } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { run } from '../support/run.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe('the client', () => {
  let wherry: Wherry;
  let repository: Repository;
  let folder: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    wherry = await startWherry();
    repository = await wherry.repository('app', {
      from: probe,
      files: { Procfile: 'web: node server.js\n' },
    });
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    folder = mkdtempSync(join(tmpdir(), 'wherry-client-'));
    const path = process.env['PATH'] ?? '';
    const flags = wherry.sshFlags.slice(0, -3).map(word => `'${word}'`);
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nPATH=${path}\nexec ssh ${flags.join(' ')} "$@"\n`);
    chmodSync(join(folder, 'ssh'), 0o755);
    env = { PATH: `${folder}:${path}`, HOME: folder };
  });
  afterAll(async () => {
    await wherry?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  const far = (words: readonly string[], more: Record<string, string> = {}) =>
    run(here('bin/wherry'), words, { env: { ...env, ...more }, cwd: repository.dir });

  it('finds the app by the folder, and brings every byte', async () => {
    const value = ' "q" \' $HOME `x`\n{"a":[1]}\n-----BEGIN KEY-----\n\\ é';
    const host = { WHERRY_HOST: `127.0.0.1:${wherry.sshPort}` };
    expect(await far(['config:set', '--no-restart', `A=${value}`], host)).toMatchObject({ code: 0 });
    expect((await far(['config:get', 'A'], host)).stdout).toBe(`${value}\n`);
    expect((await wherry.cli('config:get', 'app', 'A')).stdout).toBe(`${value}\n`);
    expect((await far(['apps:exists', '--app', 'nobody'], host)).code).toBe(20);
  });

  it('has the host examined over SSH', async () => {
    const said = await wherry.ssh('doctor', '--format', 'json');
    const { findings } = JSON.parse(said.stdout) as { findings: { topic: string; message: string }[] };
    expect(findings).toContainEqual(
      expect.objectContaining({
        topic: 'ports',
        message: expect.stringContaining(`Port ${wherry.sshPort} `),
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ topic: 'programs', message: expect.stringContaining('runc 1.') }),
    );
  });

  it('gives a program of the app the terminal it is on, over the socket', async () => {
    const client = [here('bin/wherry'), '--data', wherry.data, 'run', 'app', 'sh'];
    const child = spawn('perl', [here('src/engine/runc/terminal.pl'), '33', '99', ...client], {
      env: { PATH: process.env['PATH'], HOME: folder, TERM: 'vt100' },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout?.on('data', piece => {
      text += piece;
    });
    const code = new Promise(resolve => child.once('exit', resolve));
    await until('a prompt', () => text.includes('$'));
    child.stdin?.write('stty size; echo $TERM; sleep 1000\r');
    await until('its size', () => /33 99\r\nvt100\r\n/.test(text));
    (child.stdio[3] as NodeJS.WritableStream).write('44 111\n');
    child.stdin?.write('\x03');
    child.stdin?.write('stty size; exit 4\r');
    expect(await code).toBe(4);
    expect(text).toContain('44 111');
  });
});

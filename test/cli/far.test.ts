import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { splitWords } from '../../src/domain/words.ts';
import { spawn } from '../../src/system/exec.ts';
import { run } from '../support/run.ts';
import { type SshAnswer, startSshHost } from '../support/ssh-host.ts';
import { until } from '../support/until.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const client = ['--import', 'tsx', main];

let close = async () => {};
afterEach(() => close());

/** The client with a folder and a host of its own; its ssh is the real one with the test's configuration. */
async function farHost(answer: () => SshAnswer | 'hang') {
  const host = await startSshHost(answer);
  const folder = mkdtempSync(join(tmpdir(), 'wherry-far-'));
  close = async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  };
  const path = process.env['PATH'] ?? '';
  const ssh = join(folder, 'ssh');
  writeFileSync(ssh, `#!/bin/sh\nPATH=${path}\nexec ssh -F ${host.config} "$@"\n`);
  chmodSync(ssh, 0o755);
  return {
    asked: host.asked,
    env: { PATH: `${folder}:${path}`, HOME: folder, WHERRY_HOST: `old.example.org:${host.port}` },
  };
}

describe('the client of a host elsewhere', () => {
  it('passes words, both streams and the exit status', async () => {
    const { asked, env } = await farHost(() => ({ code: 20, out: 'out\n', err: ' !     err\n' }));
    const words = ['config:set', 'blog', 'A= "q" \' $HOME\n{"a":1}\n', ''];
    const ran = await run(process.execPath, [...client, ...words], { env });
    expect(ran).toMatchObject({ code: 20, stdout: 'out\n' });
    expect(ran.stderr).toContain(' !     err\n');
    expect(asked.map(splitWords)).toEqual([words]);
  });

  it('ends with the signal that ends it', async () => {
    const { asked, env } = await farHost(() => 'hang');
    const child = spawn(process.execPath, [...client, 'logs', 'blog', '-t'], { env, stdio: 'ignore' });
    const code = new Promise(resolve => child.once('exit', resolve));
    await until('the command is there', () => asked.length === 1);
    child.kill('SIGTERM');
    expect(await code).toBe(143);
  });

  it('says what is missing when there is no ssh', async () => {
    const { env } = await farHost(() => ({}));
    const ran = await run(process.execPath, [...client, 'apps:list'], { env: { ...env, PATH: '/nowhere' } });
    expect(ran).toMatchObject({ code: 75 });
    expect(ran.stderr).toContain('Install the OpenSSH client');
  });
});

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dnsHook } from '../../src/acme/dns-hook.ts';

describe('a program that puts records into DNS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-hook-'));
  const { signal } = new AbortController();
  const proof = { host: '*.example.org', token: 'token', keyAuthorization: 'token.thumbprint' };
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const program = (name: string, script: string, mode = 0o700) => {
    const file = join(dir, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, mode);
    return file;
  };

  it('is told the name of the record and its value, word by word, and nothing of the environment', async () => {
    const said = join(dir, 'said');
    const hook = dnsHook(program('good', `printf '%s\\n' "$#" "$@" "\${HOME-none}" >> ${said}`));
    await hook.show(proof, signal);
    await hook.hide(proof, signal);
    // SHA-256 of the answer, in base64url.
    const value = '61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I';
    const record = ['_acme-challenge.example.org', value, 'none'];
    expect(readFileSync(said, 'utf8').trim().split('\n')).toEqual(
      ['3', 'present', ...record].concat(['3', 'cleanup', ...record]),
    );
  });

  it('that fails is told with its last words', async () => {
    const hook = dnsHook(program('bad', 'echo "no such zone" >&2; exit 3'));
    await expect(hook.show(proof, signal)).rejects.toThrow(
      /^The DNS hook for \*\.example\.org failed: .*ended with 3: no such zone/,
    );
  });

  it('is ended with the daemon', async () => {
    const stop = new AbortController();
    const hook = dnsHook(program('slow', `exec sleep 60`));
    setTimeout(() => stop.abort(new Error('closing')), 100);
    await expect(hook.show(proof, stop.signal)).rejects.toThrow(/was killed by SIGKILL/);
  });

  it('is not run when others could change it, nor when it is none', async () => {
    for (const mode of [0o720, 0o702, 0o777])
      await expect(dnsHook(program('open', 'exit 0', mode)).show(proof, signal)).rejects.toThrow(
        /can be changed by others/,
      );
    await expect(dnsHook(join(dir, 'none')).show(proof, signal)).rejects.toThrow(/is no file/);
    await expect(dnsHook(dir).show(proof, signal)).rejects.toThrow(/is no file/);
  });
});

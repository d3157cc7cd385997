import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadHostKeys } from '../../src/ssh/host-keys.ts';
import { must } from '../support/run.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-hostkeys-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('host keys', () => {
  it('are made once, private, and have the fingerprints that OpenSSH shows', async () => {
    const made = await loadHostKeys(join(dir, 'keys'));
    expect(made.map(key => key.type)).toEqual(['ssh-ed25519', 'ssh-rsa']);
    expect(await loadHostKeys(join(dir, 'keys'))).toEqual(made);
    for (const name of readdirSync(join(dir, 'keys'))) {
      const file = join(dir, 'keys', name);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const shown = await must('ssh-keygen', ['-lf', file]);
      expect(made.map(key => key.fingerprint)).toContain(shown.split(' ')[1]);
    }
  });

  it('that are damaged are not replaced in silence', async () => {
    writeFileSync(join(dir, 'ssh_host_ed25519_key'), 'rubbish');
    await expect(loadHostKeys(dir)).rejects.toThrow(/ssh_host_ed25519_key is damaged/);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doctorOffline } from '../../src/cli/doctor.ts';
import { parseAppName, parseDomain } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { healthyHost } from '../doctor/support.ts';

const aloneOn = (data: string, ...words: string[]) =>
  doctorOffline(words, {
    ...{ data, env: {}, host: healthyHost({ greetings: { 8080: '' } }), now: new Date(0) },
  });

const alone = (...words: string[]) => aloneOn('/srv/wherry', ...words);

describe('the doctor without a daemon', () => {
  it('takes the flags of one, and warns that none runs', async () => {
    const { text, code } = await alone('doctor', '--http', '0.0.0.0:8080', '--https=none');
    expect(text).toContain('Wherry is not running on /srv/wherry');
    expect(text).toContain('Port 2222 (--ssh 0.0.0.0:2222) is free');
    expect(text).toContain('Port 8080 (--http 0.0.0.0:8080) is taken');
    expect(text).not.toContain('--https');
    expect(code).toBe(0);
  });

  it('looks at the domains and certificates that the database has, and changes nothing of it', async () => {
    const data = mkdtempSync(join(tmpdir(), 'wherry-doctor-'));
    const file = join(data, 'wherry.db');
    const store = openStore(file, createSeal(randomBytes(32)));
    const app = store.apps.create(parseAppName('blog'), new Date(0));
    store.domains.add(app, parseDomain('www.example.org'));
    const names = {
      id: '1',
      chain: '',
      names: ['www.example.org'],
      issuer: 'x',
      selfSigned: false,
      key: 'k',
    };
    const dates = { notBefore: new Date(-2), notAfter: new Date(-1) };
    store.certificates.put(app, { ...names, ...dates }, { source: 'given', at: new Date(0) });
    store.close();
    const before = readFileSync(file);
    const { text, code } = await aloneOn(data, 'doctor', '--http', '0.0.0.0:8080', '--https=none');
    expect(text).toContain('apps were not looked at');
    expect(text).toMatch(/www\.example\.org/);
    expect(text).toMatch(/fail +certificates +The certificate for www\.example\.org/);
    expect(code).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
    writeFileSync(file, 'no database');
    expect((await aloneOn(data, 'doctor')).text).toContain('domains and certificates were not looked at');
    rmSync(data, { recursive: true });
  });

  it('speaks JSON', async () => {
    const { text } = await alone('--format', 'json', 'doctor');
    expect(JSON.parse(text)).toMatchObject({ healthy: true });
  });

  it.each([
    [['doctor', 'blog']],
    [['doctor', '--http']],
    [['doctor', '--htpp', 'x']],
    [['doctor', '--http', 'x']],
  ])('refuses %j', async words => {
    await expect(alone(...words)).rejects.toThrow(/\.$/);
  });
});

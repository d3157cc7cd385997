import { describe, expect, it } from 'vitest';
import { doctorOffline } from '../../src/cli/doctor.ts';
import { healthyHost } from '../doctor/support.ts';

const alone = (...words: string[]) =>
  doctorOffline(words, {
    ...{ data: '/srv/wherry', env: {}, host: healthyHost({ greetings: { 8080: '' } }), now: new Date(0) },
  });

describe('the doctor without a daemon', () => {
  it('takes the flags of one, and warns that none runs', async () => {
    const { text, code } = await alone('doctor', '--http', '0.0.0.0:8080', '--https=none');
    expect(text).toContain('Wherry is not running on /srv/wherry');
    expect(text).toContain('Port 2222 (--ssh 0.0.0.0:2222) is free');
    expect(text).toContain('Port 8080 (--http 0.0.0.0:8080) is taken');
    expect(text).not.toContain('--https');
    expect(code).toBe(0);
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

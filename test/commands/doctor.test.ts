import { describe, expect, it } from 'vitest';
import { createBench } from './support.ts';

describe('doctor', () => {
  it('gives its findings as lines and as JSON, and 1 when something fails', async () => {
    const bench = createBench();
    const ran = await bench.run('doctor');
    // Nothing listens in this test.
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^ok {4}kernel/);
    expect(ran.stdout).toMatch(/fail {2}ports .*does not answer\n {10,}\S/);
    const json = JSON.parse((await bench.run('doctor', '--format', 'json')).stdout);
    expect(json).toMatchObject({ healthy: false });
    expect(json.findings[0]).toEqual({ topic: 'kernel', state: 'ok', message: 'Linux 6.1.0-18-amd64' });
  });

  it('looks at the domains of apps that are not below the one of all', async () => {
    const bench = createBench();
    await bench.run('apps:create', 'blog');
    await bench.run('domains:add', 'blog', 'www.example.org');
    expect((await bench.run('doctor')).stdout).toContain('1 domain points here');
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const run = (line: string) => bench.run(...line.split(' '));
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

const asked = async () => {
  await run('ps:restart blog');
  return bench.runtime.told.at(-1)?.desired.isolation;
};

describe('the isolation of an app', () => {
  it('is the usual one, and reported', async () => {
    expect(await asked()).toBeUndefined();
    expect((await run('isolation:report blog')).stdout).toBe(
      '=====> blog isolation information\n' +
        '       Isolation computed isolation:  runc\n' +
        '       Isolation global isolation:\n' +
        '       Isolation isolation:\n' +
        '       Isolation users:               mapped\n',
    );
    expect((await run('isolation:report shop')).code).toBe(20);
  });

  it('is gVisor where that is set for it, or for all and not for it', async () => {
    expect(await run('isolation:set blog gvisor')).toMatchObject({ code: 0 });
    expect(await asked()).toBe('gvisor');
    expect((await run('isolation:report blog --isolation-users')).stdout).toBe('own\n');
    await run('isolation:set blog');
    expect(await asked()).toBeUndefined();
    await run('isolation:set --global gvisor');
    expect(await asked()).toBe('gvisor');
    await run('isolation:set blog runc');
    expect(await asked()).toBeUndefined();
    expect((await run('isolation:report --global')).stdout).toContain('gvisor');
  });

  it('is refused where gVisor is not installed, or nobody knows of it', async () => {
    bench = createBench({ host: { version: async () => undefined } });
    await bench.deployed('blog');
    const { code, stderr } = await run('isolation:set blog gvisor');
    expect({ code, stderr }).toMatchObject({
      code: expect.any(Number),
      stderr: expect.stringMatching(/gVisor is not installed on this host[\s\S]*apt-get install runsc/),
    });
    expect(code).not.toBe(0);
    expect(await asked()).toBeUndefined();
    expect((await run('isolation:set blog kata')).stderr).toMatch(/runc\|gvisor|isolation/);
    expect((await run('isolation:set shop gvisor')).code).toBe(20);
  });
});

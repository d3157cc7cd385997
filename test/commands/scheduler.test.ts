import { beforeEach, describe, expect, it } from 'vitest';
import { parseProcessType } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const run = (line: string) => bench.run(...line.split(' '));
beforeEach(async () => {
  bench = createBench();
  await run('apps:create blog');
});

describe('the scheduler', () => {
  it('is reported as scripts for dokku read it', async () => {
    const one = async (line: string) => (await run(line)).stdout;
    expect(await one('scheduler:report blog --scheduler-computed-selected')).toBe('docker-local\n');
    expect(await one('scheduler:report blog --scheduler-selected')).toBe('\n');
    expect(JSON.parse(await one('scheduler:report blog --format json'))).toMatchObject({
      'computed-selected': 'docker-local',
    });
    expect(await one('scheduler-docker-local:report blog')).toBe(
      '=====> blog scheduler-docker-local information\n' +
        '       Scheduler docker local computed parallel schedule count: -1\n' +
        '       Scheduler docker local global parallel schedule count:\n' +
        '       Scheduler docker local init process:                     true\n' +
        '       Scheduler docker local parallel schedule count:\n',
    );
    expect(await one('docker-local:report blog --scheduler-docker-local-init-process')).toBe('true\n');
    expect((await run('scheduler:report shop')).code).toBe(20);
  });

  it('takes its own name and what is so anyway', async () => {
    for (const line of [
      'scheduler:set blog selected docker-local',
      'scheduler:set --global selected docker-local',
      'scheduler:set blog selected',
      'scheduler:set blog shell',
      'scheduler-docker-local:set blog init-process true',
      'scheduler-docker-local:set blog parallel-schedule-count',
    ])
      expect(await run(line)).toMatchObject({ code: 0 });
  });

  it('says how many types, and how many instances of each, a deploy starts at once', async () => {
    const parallel = async () => {
      await run('ps:restart blog');
      const said = bench.runtime.told.at(-1)?.desired.parallel?.();
      return [said?.types, said?.instances(parseProcessType('web'))];
    };
    await bench.deployed('blog');
    expect(await parallel()).toEqual([Infinity, Infinity]);
    await run('scheduler-docker-local:set --global parallel-schedule-count 2');
    await run('ps:set --global max-parallel 5');
    expect(await parallel()).toEqual([2, 5]);
    await run('scheduler-docker-local:set blog parallel-schedule-count -1');
    await run('ps:set blog max-parallel 1');
    expect(await parallel()).toEqual([Infinity, 1]);
    const reported = async (line: string) => (await run(line)).stdout;
    expect(
      await reported('scheduler-docker-local:report blog --scheduler-docker-local-parallel-schedule-count'),
    ).toBe('-1\n');
    expect(await reported('ps:report blog --ps-computed-max-parallel')).toBe('1\n');
  });

  it.each([
    ['scheduler:set blog selected k3s', 'There is no other scheduler'],
    ['scheduler:set --global selected nomad', 'There is no other scheduler'],
    ['scheduler:set blog shell zsh', 'There is no shell to set'],
    ['scheduler:set blog nodes 3', 'Known are: selected, shell'],
    ['scheduler:set shop selected docker-local', 'does not exist'],
    ['scheduler-docker-local:set blog init-process false', 'cannot be left out'],
    ['scheduler-docker-local:set blog parallel-schedule-count 0', 'Give how many start at once'],
    ['scheduler-docker-local:set blog parallel-schedule-count many', '1 to 100, or -1 for all'],
    ['ps:set blog max-parallel 0', 'max-parallel "0" is not valid'],
    ['ps:set blog max-parallel 1e9', 'max-parallel "1e9" is not valid'],
  ])('refuses %s', async (line, reason) => {
    const ran = await run(line);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
  });
});

import { beforeEach, expect, it } from 'vitest';
import { cronTask } from '../../src/domain/cron-task.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const tasks = [
  cronTask({ schedule: '@daily', command: 'rake report', concurrency: 'forbid' }),
  cronTask({ schedule: '*/5 * * * *', command: 'echo hi', concurrency: 'allow' }),
];
const [first] = tasks;
const run = (line: string) => bench.run(...line.split(' '));
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog', ['web'], { cron: tasks });
});

it('lists what the live release runs at times, and when next', async () => {
  const { stdout } = await run('cron:list blog --format json');
  expect(JSON.parse(stdout)).toMatchObject([
    { id: first?.id, app: 'blog', schedule: '@daily', command: 'rake report', concurrency_policy: 'forbid' },
    { schedule: '*/5 * * * *', suspended: false },
  ]);
  expect(JSON.parse(stdout)[0].next).toMatch(/^\d{4}-\d\d-\d\dT00:00:00.000Z$/);
  expect((await run('cron:list')).stdout).toContain('rake report');
  expect((await run('cron:report blog --cron-task-count')).stdout).toBe('2\n');
});

it('leaves out what is suspended until it is resumed', async () => {
  expect((await run(`cron:suspend blog ${first?.id}`)).stdout).toContain('Suspended "rake report"');
  expect(JSON.parse((await run('cron:list blog --format json')).stdout)[0]).toMatchObject({
    suspended: true,
    next: null,
  });
  await run(`cron:resume blog ${first?.id}`);
  expect((await run('cron:report blog --cron-suspended')).stdout).toBe('\n');
});

it('runs a task now', async () => {
  const ran = await run(`cron:run blog ${first?.id}`);
  expect(ran.stdout).toBe('run.1\n');
  expect(bench.runtime.told.at(-1)).toMatchObject({ verb: 'run', argv: ['/bin/sh', '-c', 'rake report'] });
});

it('knows no other tasks', async () => {
  for (const verb of ['run', 'suspend', 'resume'])
    expect((await run(`cron:${verb} blog nothing`)).stderr).toContain('App blog has no task nothing');
});

import { expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import { readRunOptions } from '../../src/domain/docker-option.ts';
import { parseAppName, parseProcessType } from '../../src/domain/names.ts';
import { specFor } from '../../src/runtime/member.ts';
import type { Desired } from '../../src/runtime/runtime.ts';
import { image } from '../commands/support.ts';

const web = parseProcessType('web');
const specOf = (more: Partial<Desired>, type = web) => {
  const desired: Desired = {
    app: { id: 1, name: parseAppName('blog') } as App,
    version: 1,
    image: image('1'),
    config: { PORT: '1' },
    counts: new Map([[web, 1]]),
    limits: () => ({ memory: 2 ** 28, cpus: 1, pids: 100 }),
    quota: { memory: null, pids: null },
    ...more,
  };
  return specFor(desired, { type, index: 1 }, '/logs');
};
const portsOf = (more: Partial<Desired>, type = web) => {
  const { env, labels } = specOf(more, type);
  return [env['PORT'], labels['port']];
};

it('tells web the port that was mapped, else its image’s, else the usual one', () => {
  expect(portsOf({ port: 3000, image: { ...image('1'), port: 80 } })).toEqual(['3000', '3000']);
  expect(portsOf({ image: { ...image('1'), port: 80 } })).toEqual(['80', '80']);
  expect(portsOf({})).toEqual(['5000', '5000']);
});

it('leaves PORT of other processes to their config', () => {
  expect(portsOf({ port: 3000 }, parseProcessType('worker'))[0]).toBe('1');
});

it('tells every process its commit, whatever the config says', () => {
  const told = specOf({ config: { GIT_REV: 'mine', A: 'b' }, revision: { GIT_REV: '1234' } });
  expect(told.env).toMatchObject({ GIT_REV: '1234', A: 'b' });
});

it('takes docker-options over image and config, but for what is the platform’s own', () => {
  const options = () =>
    readRunOptions([
      ...[
        '-e GREETING=hi',
        '-e PORT=9',
        '--label team=web',
        '--hostname blog',
        '--user 1001',
        '--workdir /srv',
      ],
      ...['--tmpfs /scratch', '--read-only'],
    ]);
  const spec = specOf({ options, config: { GREETING: 'hello', OTHER: 'kept' } });
  expect(spec).toMatchObject({
    env: { GREETING: 'hi', OTHER: 'kept', PORT: '5000' },
    labels: { team: 'web', type: 'web', app: '1' },
    hostname: 'blog',
    user: { uid: 1001, gid: 1001 },
    workingDir: '/srv',
    tmpfs: [{ target: '/scratch' }],
    readonlyRoot: true,
  });
  expect(specOf({})).not.toHaveProperty('tmpfs');
});

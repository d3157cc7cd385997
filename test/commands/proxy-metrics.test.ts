import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createBench } from './support.ts';

it('proxy:metrics shows what the edge says, or that it says nothing', async () => {
  const bench = createBench();
  expect(await bench.run('proxy:metrics')).toMatchObject({ code: 75, stdout: '' });
  mkdirSync(bench.paths.edge, { recursive: true });
  const edge = createServer((_req, res) => res.end('# HELP a\na{app="x"} 1\n'));
  await new Promise<void>(resolve => edge.listen(join(bench.paths.edge, 'metrics-4242.sock'), resolve));
  expect(await bench.run('proxy:metrics')).toEqual({
    code: 0,
    stdout: '# HELP a\na{app="x"} 1\n',
    stderr: '',
  });
  edge.closeAllConnections();
  edge.close();
});

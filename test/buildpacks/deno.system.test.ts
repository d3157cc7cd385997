import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const deno = join(fixtures, 'deno');
const app = parseAppName('deno');
const build = async (change: (dir: string) => void) =>
  await bench.build(deno, { app: parseAppName('other'), change });

describe('an app for Deno', () => {
  it('gets its dependencies from deno.lock, and its task start answers', async () => {
    const { image, output } = await bench.build(deno, { app });
    expect(output.join('\n')).toContain('-----> deno 2.');
    expect(image.processes[0]?.command).toEqual(['deno', 'run', '--allow-net', '--allow-env', 'main.mts']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from Deno 1m');
    });
  });

  it('is built again after a code change without any container', async () => {
    await bench.build(deno, { app });
    const { sandboxes } = await bench.build(deno, {
      app,
      change: dir => appendFileSync(join(dir, 'main.mts'), '\n'),
    });
    expect(sandboxes).toBe(0);
  });

  it('runs server.ts when there is no task, and its task build with what it makes', async () => {
    const { image } = await build(dir => {
      const tasks = { build: 'echo "export const built = \'built\';" > built.ts' };
      writeFileSync(join(dir, 'deno.jsonc'), JSON.stringify({ tasks }));
      rmSync(join(dir, 'deno.lock'));
      const server = `import { built } from './built.ts';
        Deno.serve({ port: Number(Deno.env.get('PORT')) }, () => new Response(built));`;
      writeFileSync(join(dir, 'server.ts'), server);
      rmSync(join(dir, 'main.mts'));
    });
    expect(image.processes[0]?.command).toEqual(['deno', 'run', '--allow-all', 'server.ts']);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('built');
    });
  });

  it('takes packages of JSR from where JSR_URL says', async () => {
    const change = (dir: string) => {
      const file = join(dir, 'deno.jsonc');
      writeFileSync(file, readFileSync(file, 'utf8').replace('npm:ms@2.1.3', 'jsr:@ship/mast@1'));
      rmSync(join(dir, 'deno.lock'));
    };
    const config = { JSR_URL: 'https://packages.invalid' };
    const asked = bench.build(deno, { app: parseAppName('elsewhere'), config, change });
    await expect(asked).rejects.toMatchObject({
      output: expect.arrayContaining([expect.stringContaining('https://packages.invalid/@ship/mast')]),
    });
  });

  it('is refused when deno.lock is out of step, naming the package', async () => {
    const change = (dir: string) => {
      const file = join(dir, 'deno.jsonc');
      writeFileSync(file, readFileSync(file, 'utf8').replace('ms@2.1.3', 'ms@2.1.2'));
    };
    await expect(build(change)).rejects.toThrow(
      'deno.lock is out of step with the app: npm:ms@2.1.2 is missing from it. Run deno install and commit deno.lock.',
    );
  });

  it('is refused when its settings do not parse or ask for a version that cannot be had', async () => {
    await expect(build(dir => writeFileSync(join(dir, 'deno.jsonc'), '{ "tasks": '))).rejects.toThrow(
      /deno\.jsonc is not valid: .+ Correct it\./,
    );
    await expect(build(dir => writeFileSync(join(dir, '.deno-version'), '0.1\n'))).rejects.toThrow(
      /Deno version "0\.1" cannot be had\. Set \.deno-version to one of 2\.x/,
    );
  });
});

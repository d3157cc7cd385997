import { appendFileSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { edgePids } from '../support/edge-process.ts';
import { timeAway } from '../support/time-away.ts';
import { startTraffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const root = new URL('../..', import.meta.url).pathname;

describe('an upgrade of Wherry', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('app', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  it('replaces the edge by one of the new program, and drops no request', async () => {
    const program = copyOfProgram(join(wherry.scratch, 'next'));
    const before = edgePids(wherry.data);
    expect(before.length).toBe(1);
    const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') });
    await until('traffic', () => traffic.answered() > 50);
    await wherry.kill();
    await wherry.start(undefined, program);
    const after = traffic.answered();
    await until('traffic through the new edge', () => traffic.answered() > after + 50);
    await until('the old edge to end', () => edgePids(wherry.data).length === 1, { timeout: 60_000 });
    expect(edgePids(wherry.data)).not.toEqual(before);
    expect((await traffic.end()).failures).toEqual([]);
  });

  it('keeps the edge when nothing of it changed', async () => {
    const before = edgePids(wherry.data);
    await wherry.kill();
    await wherry.start(undefined, join(wherry.scratch, 'next/bin/wherry'));
    expect(edgePids(wherry.data)).toEqual(before);
  });
});

describe('an edge that is killed', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('bench', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  it('is back by itself with the routes it had', async ({ annotate }) => {
    const [edge = 0] = edgePids(wherry.data);
    const away = await timeAway(wherry, () => process.kill(edge, 'SIGKILL'));
    await annotate(`answers again after ${Math.round(away)} ms`);
    expect(edgePids(wherry.data)).not.toContain(edge);
  });
});

/** The program as it is but for a line of the edge. @returns its path */
function copyOfProgram(folder: string): string {
  mkdirSync(folder);
  for (const part of ['dist', 'bin', 'src', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  for (const part of ['buildpacks', 'node_modules']) symlinkSync(join(root, part), join(folder, part));
  appendFileSync(join(folder, 'dist/src/edge/host.js'), '\n// Of the next version.\n');
  return join(folder, 'bin/wherry');
}

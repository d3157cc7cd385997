import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programsIn, runProgram } from '../../src/plugin/program.ts';
import { createBench } from '../commands/support.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-program-'));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'hooks'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function program(hook: string, text: string): string {
  const file = join(dir, 'hooks', hook);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}
const building = { app: 'blog', commit: 'a'.repeat(40), subject: `it's "$(id)" \n`, actor: 'ann' };

describe('a program of a plugin', () => {
  it('is found by the name of its hook', async () => {
    const file = program('before-build', '#!/bin/sh\n');
    expect(await programsIn(dir)).toEqual(new Map([['before-build', file]]));
    expect(await programsIn(join(dir, 'nowhere'))).toEqual(new Map());
  });

  it('is given the event as JSON, and runs as nobody with nothing of ours', async () => {
    process.env['TOP_SECRET'] = 'x';
    const file = program(
      'build-environment',
      `#!/usr/bin/env perl
use strict; my $json = do { local $/; <STDIN> };
$json =~ s/([\\\\"])/\\\\$1/g; chomp $json;
print '{"EVENT":"', $json, '","USER_ID":"', $<, '","GROUPS":"', $(, '","KEYS":"', join(' ', sort keys %ENV), '"}';`,
    );
    const answer = (await runProgram({ file, hook: 'build-environment', event: building })) as Record<
      string,
      string
    >;
    delete process.env['TOP_SECRET'];
    expect(JSON.parse(answer['EVENT'] ?? '')).toEqual(building);
    expect(Number(answer['USER_ID'])).toBeGreaterThan(0);
    expect((answer['GROUPS'] ?? '').split(' ')).not.toContain('0');
    expect(answer['KEYS']).toBe('HOME LANG PATH WHERRY_HOOK');
  });

  it('forbids by its status, with what it said; a program that falls over forbids nothing by that', async () => {
    const no = program('before-build', '#!/bin/sh\necho "Not today." >&2; exit 1\n');
    expect(await runProgram({ file: no, hook: 'before-build', event: building })).toEqual({
      veto: 'Not today.\n',
    });
    const yes = program('before-build', '#!/bin/sh\necho hello\n');
    expect(await runProgram({ file: yes, hook: 'before-build', event: building })).toBeUndefined();
    for (const text of ['#!/bin/sh\nkill -9 $$\n', '#!/nonexistent\n', 'not a program'])
      await expect(
        runProgram({ file: program('before-build', text), hook: 'before-build', event: building }),
        text,
      ).rejects.toThrow('timeout');
  });

  it('that says no JSON adds nothing, and one that only hears fails by its status', async () => {
    const file = program('build-environment', '#!/bin/sh\necho STAGE=test\n');
    await expect(runProgram({ file, hook: 'build-environment', event: building })).rejects.toThrow(/JSON/);
    const told = program('after-build', '#!/bin/sh\nexit 3\n');
    const event = { ...building, image: 'sha256:1' };
    await expect(runProgram({ file: told, hook: 'after-build', event })).rejects.toThrow('ended with 3');
  });
});

it('a program of an installed plugin has its say in a deploy', async () => {
  program(
    'before-deploy',
    '#!/bin/sh\ngrep -q \'"app":"blog"\' && { echo "Ask Ann first." >&2; exit 1; }\nexit 0\n',
  );
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({ name: 'ask', version: '1.0.0', wherry: { plugin: 'ask', api: 1 } }),
  );
  const bench = createBench();
  // As a data directory is: others pass through.
  for (const path of ['.', '..', '../..']) chmodSync(join(bench.paths.data, path), 0o711);
  await bench.services.plugins.open();
  expect((await bench.run('plugin:install', dir)).code).toBe(0);
  await bench.deployed('blog');
  await bench.deployed('shop');
  expect((await bench.run('rollback', 'blog', '1')).stderr).toContain(
    'Plugin ask does not allow it: Ask Ann first.',
  );
  expect((await bench.run('rollback', 'shop', '1')).code).toBe(0);
  await bench.services.plugins.close();
});

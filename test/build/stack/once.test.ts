import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { once } from '../../../src/build/stack/once.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { spawn } from '../../../src/system/exec.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-once-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('work on the shared cache', () => {
  it('is done by one at a time', async () => {
    const log: string[] = [];
    const work = (name: string) =>
      once({ dir, name: 'thing', clock }, async () => {
        log.push(`${name} in`);
        await clock.sleep(30);
        log.push(`${name} out`);
      });
    await Promise.all([work('a'), work('b')]);
    expect(log.map(line => line.slice(2))).toEqual(['in', 'out', 'in', 'out']);
  });

  it('does not wait for other work', async () => {
    await once({ dir, name: 'one', clock }, async () => {
      await once({ dir, name: 'two', clock, wait: 0 }, async () => {});
    });
  });

  it('gives up after its wait, and says that it waits', async () => {
    let told = 0;
    await once({ dir, name: 'thing', clock }, async () => {
      const second = once({ dir, name: 'thing', clock, wait: 300, onWait: () => told++ }, async () => {});
      await expect(second).rejects.toThrow(
        'Another Wherry on this host has been preparing thing for too long',
      );
    });
    expect(told).toBe(1);
  });

  it('is free again when its holder is killed', async () => {
    const script = join(dir, 'holder.mjs');
    const database = new URL('../../../node_modules/better-sqlite3/lib/index.js', import.meta.url).href;
    writeFileSync(
      script,
      `import Database from '${database}';
       const db = new Database('${join(dir, 'thing.lock')}');
       db.exec('BEGIN EXCLUSIVE');
       console.log('held');
       setInterval(() => {}, 1000);`,
    );
    const holder = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise(resolve => holder.stdout?.once('data', resolve));
    await expect(once({ dir, name: 'thing', clock, wait: 0 }, async () => {})).rejects.toThrow('too long');
    holder.kill('SIGKILL');
    await new Promise(resolve => holder.once('exit', resolve));
    await expect(once({ dir, name: 'thing', clock, wait: 0 }, async () => 'done')).resolves.toBe('done');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { express, probe } from '../../support/apps.ts';
import type { Wherry } from '../../support/wherry.ts';
import type { Asked, Figure } from './figure.ts';

/** A drill: a backup is restored beside what runs, its apps are started, and all is compared. */
export const restore: Figure = { size: 10, counts: 'apps in a backup that is restored', measure };

type Made = { readonly seconds: number; readonly added: number };
type Held = {
  readonly seconds: number;
  readonly differences: readonly string[];
  readonly apps: readonly { readonly started: boolean }[];
};

async function measure(wherry: Wherry, { size }: Asked) {
  const place = mkdtempSync(join(tmpdir(), 'wherry-place-'));
  try {
    for (let app = 1; app <= size; app += 1) {
      const pushed = await (
        await wherry.repository(`app-${app}`, { from: app % 2 ? probe : express })
      ).push();
      if (pushed.code !== 0) throw new Error(pushed.output);
    }
    await wherry.cli('backup:set', `to=${place}`);
    await wherry.cliWith('a password of the bench\n', 'backup:set', 'password');
    const first = await told<Made>(wherry, 'backup');
    const second = await told<Made>(wherry, 'backup');
    const held = await told<Held>(wherry, 'backup:verify');
    const started = held.apps.filter(each => each.started).length;
    return {
      wrongs: [
        ...held.differences,
        ...(started === size ? [] : [`Only ${started} of ${size} apps were started`]),
      ],
      rows: [
        { what: `drill of ${size} apps`, value: `${held.seconds} s`, aim: '120 s' },
        { what: 'first backup', value: `${first.seconds} s` },
        { what: 'the next one', value: `${second.seconds} s` },
        { what: 'what it sent', value: `${Math.round(second.added / 1024)} KiB` },
      ],
      metrics: { restore_s: held.seconds, backup_s: first.seconds, backup_again_s: second.seconds },
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function told<Result>(wherry: Wherry, command: string): Promise<Result> {
  const ran = await wherry.cli(command, '--format', 'json');
  if (ran.stdout === '') throw new Error(ran.output);
  return JSON.parse(ran.stdout) as Result;
}

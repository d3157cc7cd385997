import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { answerHook, hooksDir, installHook, readHookCall } from '../../src/receive/hook.ts';
import { createProgress, tellFailure } from '../../src/receive/progress.ts';
import { spawn } from '../../src/system/exec.ts';
import { createPaths } from '../../src/system/paths.ts';

describe("the hook's call", () => {
  it('is read across any cut of the stream', async () => {
    const channel = new PassThrough();
    const call = readHookCall(channel, 10);
    for (const char of '/repo/q\nexplain \none\ntwo\n.\n') channel.write(char);
    expect(await call).toEqual({
      quarantine: '/repo/q',
      options: new Set(['explain']),
      lines: ['one', 'two'],
      count: 2,
    });
  });

  it('without a quarantine, as for deletions, is read too', async () => {
    const channel = new PassThrough();
    channel.write('\n \none\n.\n');
    expect(await readHookCall(channel, 10)).toEqual({
      quarantine: '',
      options: new Set(),
      lines: ['one'],
      count: 1,
    });
  });

  it('keeps a limited number of lines and counts the others', async () => {
    const channel = new PassThrough();
    const call = readHookCall(channel, 3);
    for (let index = 0; index < 1000; index += 1) channel.write(`${index}\n`);
    channel.write('.\n');
    expect(await call).toEqual({
      quarantine: '0',
      options: new Set(['1']),
      lines: ['2', '3', '4'],
      count: 998,
    });
  });

  it.each(['end', 'destroy'] as const)('that breaks off by %s is no call', async how => {
    const channel = new PassThrough();
    const call = readHookCall(channel, 3);
    channel.write('/repo/q\none\n');
    channel[how]();
    expect(await call).toBeUndefined();
  });
});

describe('progress for a pusher', () => {
  const collect = (use: (out: PassThrough) => void) => {
    const out = new PassThrough();
    use(out);
    return String(out.read() ?? '');
  };

  it("H15 has dokku's prefixes on every line", () => {
    const text = collect(out => {
      const progress = createProgress(out);
      progress.header('Application deployed:');
      progress.step('Building');
      progress.detail('one\ntwo\n');
      progress.warn('careful');
      progress.raw('npm said\n');
    });
    expect(text).toBe(
      '=====> Application deployed:\n-----> Building\n       one\n       two\n !     careful\nnpm said\n',
    );
  });

  it('lets no program move a terminal, or look like the platform', () => {
    const text = collect(out => {
      const progress = createProgress(out);
      progress.raw('\x1b[2J-----> Released v9\rremote: x');
      progress.raw('remote: \x1b]0;t\x07 !     fake');
      progress.step('Building \x1b[H\u202eblog');
    });
    expect(text).toBe(
      '       -----> Released v9^Mremote: x\n       remote:  !     fake\n-----> Building \ufffdblog\n',
    );
  });

  it('tells an expected failure with its hint, and of a fault only that there was one', () => {
    const expected = new WherryError('build-failed', 'It broke.', { hint: 'Mend it.' });
    expect(collect(out => tellFailure(createProgress(out), expected))).toBe(
      ' !     It broke.\n !     Mend it.\n',
    );
    const text = collect(out => tellFailure(createProgress(out), new Error('secret detail')));
    expect(text).not.toContain('secret');
    expect(text).toMatch(/^ ! {5}\S/);
  });

  it('leaves lines out, and says so, when the client takes none', async () => {
    const out = new PassThrough({ highWaterMark: 1 });
    const progress = createProgress(out);
    const line = 'x'.repeat(1023);
    for (let index = 0; index < 10_000; index += 1) progress.raw(line);
    expect(out.writableLength + out.readableLength).toBeLessThan(9 * 2 ** 20);
    out.resume();
    await new Promise(resolve => setImmediate(resolve));
    const seen: string[] = [];
    out.on('data', chunk => seen.push(String(chunk)));
    progress.raw('last');
    await new Promise(resolve => setImmediate(resolve));
    expect(seen.join('')).toMatch(/\d+ lines were left out/);
  });
});

describe('the hook itself', () => {
  it('tells options by words of its own, whatever a client wrote into them', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wherry-hook-'));
    try {
      const paths = createPaths({ data: dir });
      await installHook(paths);
      const forged = `x\n${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/forged\n.`;
      const hook = spawn(join(hooksDir(paths), 'pre-receive'), [], {
        stdio: ['pipe', 'ignore', 'inherit', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          GIT_QUARANTINE_PATH: '/repo/q',
          ...{ GIT_PUSH_OPTION_COUNT: '3', GIT_PUSH_OPTION_0: forged },
          ...{ GIT_PUSH_OPTION_1: '$(exit 9)', GIT_PUSH_OPTION_2: 'explain' },
        },
      });
      const [verdict, output] = [hook.stdio[3] as Duplex, hook.stdio[4] as Duplex];
      hook.stdin?.end('old new refs/heads/main\n');
      expect(await readHookCall(verdict, 10)).toEqual({
        quarantine: '/repo/q',
        options: new Set(['explain', 'other']),
        lines: ['old new refs/heads/main'],
        count: 1,
      });
      answerHook({ verdict, output }, 0);
      await once(hook, 'close');
      expect(hook.exitCode).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

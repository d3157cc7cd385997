import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { padding, tarHeader } from '../../../src/build/layers/tar-header.ts';
import { exec } from '../../../src/system/exec.ts';

describe('tar headers', () => {
  it('are read by the system tar, with long and unicode names, links and modes', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wherry-tar-'));
    try {
      const long = `${'d'.repeat(90)}/${'ü'.repeat(80)}`;
      const ids = { uid: 1000, gid: 1000 };
      const archive = Buffer.concat([
        tarHeader({ path: `${'d'.repeat(90)}/`, type: 'directory', mode: 0o755, size: 0, ...ids }),
        tarHeader({ path: long, type: 'file', mode: 0o640, size: 5, ...ids }),
        Buffer.from('hello'),
        padding(5),
        tarHeader({
          path: 'link',
          type: 'symlink',
          mode: 0o777,
          size: 0,
          linkTarget: 't'.repeat(150),
          ...ids,
        }),
        Buffer.alloc(1024),
      ]);
      writeFileSync(join(dir, 'a.tar'), archive);
      await exec('tar', ['-xf', join(dir, 'a.tar'), '-C', dir, '--no-same-owner']);
      expect(readFileSync(join(dir, long), 'utf8')).toBe('hello');
      expect(statSync(join(dir, long)).mode & 0o777).toBe(0o640);
      expect(statSync(join(dir, long)).mtime.toISOString()).toBe('1980-01-01T00:00:01.000Z');
      expect(readlinkSync(join(dir, 'link'))).toBe('t'.repeat(150));
      expect(readdirSync(dir).length).toBe(3);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.each([95, 96, 97, 98, 99, 100, 101, 988, 989, 990, 991, 992])(
    'count their own pax record of a name of %d bytes',
    length => {
      const header = tarHeader({
        path: 'x'.repeat(length),
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: 0,
      });
      if (length <= 100) return expect(header.length).toBe(512);
      const text = header.subarray(512).toString('latin1');
      const record = /^(\d+) path=x+\n/.exec(text);
      expect(Number(record?.[1])).toBe(record?.[0].length);
    },
  );
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileAll, type Programs, releaseOf } from '../../../src/build/classic/programs.ts';
import type { Fetched } from '../../../src/build/fetch/fetcher.ts';

// The order of a classic buildpack's programs, with a container that only notes what it is asked to run.

let root: string;
let ran: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-classic-'));
  ran = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** `programs` are the files of each buildpack; what ends with `-x` is not executable. */
function setUp(buildpacks: readonly (readonly string[])[], codes: Record<string, number> = {}): Programs {
  const fetched = buildpacks.map((programs, index) => {
    const dir = join(root, String(index));
    mkdirSync(join(dir, 'bin'), { recursive: true });
    for (const name of programs) {
      writeFileSync(join(dir, 'bin', name.replace(/-x$/, '')), '', {
        mode: name.endsWith('-x') ? 0o644 : 0o755,
      });
    }
    return { dir, source: { text: `pack ${index}` } } as Fetched;
  });
  const drop = () => {};
  return {
    container: {
      run: async ({ argv, onOutput }) => {
        const name = argv.map(word => /^\/buildpacks\/(\d)\/bin\/(\w+)$/.exec(word)).find(Boolean);
        const program = `${name?.[1]} ${name?.[2]}`;
        ran.push(program);
        onOutput(Buffer.from('--- {}\n'));
        return codes[program] ?? 0;
      },
    },
    buildpacks: fetched,
    progress: { header: drop, step: drop, detail: drop, warn: drop, raw: drop },
    signal: new AbortController().signal,
  };
}

const everything = ['detect', 'compile', 'report', 'release'];

describe('the programs of classic buildpacks', () => {
  it('H5 report after compile, also after one that failed, and fail nothing by it', async () => {
    await compileAll(setUp([everything, everything], { '0 report': 1 }));
    expect(ran).toEqual(['0 detect', '0 compile', '0 report', '1 detect', '1 compile', '1 report']);
    ran = [];
    const failing = compileAll(setUp([everything, everything], { '0 compile': 7 }));
    await expect(failing).rejects.toThrow('bin/compile of buildpack pack 0 ended with exit status 7');
    expect(ran).toEqual(['0 detect', '0 compile', '0 report']);
  });

  it.each([1, 2, 100, 255])('H1 go no further where bin/detect ends with %i', async code => {
    const detect = compileAll(setUp([everything], { '0 detect': code }));
    await expect(detect).rejects.toThrow(
      `does not know this app: its bin/detect ended with exit status ${code}`,
    );
    expect(ran).toEqual(['0 detect']);
  });

  it('H7 release by the last one alone', async () => {
    await releaseOf(setUp([everything, everything]));
    expect(ran).toEqual(['1 release']);
  });

  it.each([
    ['missing', []],
    ['no program', ['release-x']],
  ])('H4 release nothing where the last one is %s', async (_what, last) => {
    const release = await releaseOf(setUp([everything, ['detect', 'compile', ...last]]));
    expect([release.processes.size, ran]).toEqual([0, []]);
  });
});

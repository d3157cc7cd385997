import { describe, expect, it } from 'vitest';
import { shellBenches, web } from '../support/shell-bench.ts';

// Files that a build writes, each broken: the build ends with one sentence that names file, place and remedy.

const { open, source } = shellBenches();
const extended = '[metadata.wherry]\nx = 1';

describe('a build whose buildpack writes', () => {
  it.each([
    ['launch.toml', 'x =', 'launch.toml of a is not TOML at line 1, column'],
    ['build.toml', '[[unmet]', 'build.toml of a is not TOML at line 1, column'],
    ['build.toml', '[[unmet]]', 'build.toml of a is not valid: unmet[1].name: is missing. Correct it.'],
    [
      'build.toml',
      '[[unmet]]\\nname = "x"',
      'build.toml of a names "x", which is not in its plan. Take it out there, or provide it in bin/detect.',
    ],
    ['store.toml', '[metadata', 'store.toml of a is not TOML at line 1, column'],
    ['store.toml', 'metadata = 1', 'store.toml of a is not valid: metadata: is not a table. Correct it.'],
    ['l.toml', 'x = [', 'l.toml of a is not TOML at line 2, column'],
    [
      'l.toml',
      '[types]\\nlaunch = 1',
      'l.toml of a is not valid: types.launch: is not true or false. Correct it.',
    ],
    ['inputs.toml', 'files = 1', 'inputs.toml of a is not valid: files: is not a list. Correct it.'],
  ])('a bad %s, %j, is told so', async (file, toml, message) => {
    const build = `${web}; mkdir "$CNB_LAYERS_DIR/l"; printf '${toml}\\n' > "$CNB_LAYERS_DIR/${file}"`;
    const bench = await open({ a: { toml: extended, build } });
    await expect(bench.build(source())).rejects.toMatchObject({
      code: 'build-failed',
      message: expect.stringContaining(message),
    });
  });

  it('a bad build plan is told so with all that its detect said', async () => {
    const bench = await open({ a: { detect: 'echo looking; echo "[[requires]" > "$2"' } });
    const error = await bench.build(source()).catch(caught => caught);
    expect(error.message).toBe('Detection by buildpack a failed; its output is above.');
    expect(error.output).toContain('looking');
    expect(error.output.join('\n')).toContain(
      'build plan of a is not TOML at line 1, column 12. Correct it.',
    );
  });
});

const plan = (text: string) => `printf '${text}' > "$2"`;
const requires = (name: string) => `[[requires]]\\nname = "${name}"\\n`;
const provides = (name: string) => `[[provides]]\\nname = "${name}"\\n`;

describe('a build plan', () => {
  it.each([
    [
      'that nobody provides for',
      { a: plan(requires('x')), b: '' },
      'Buildpack a requires "x", which neither it nor one before it provides. Add one that does in front of it.',
    ],
    [
      'that nobody wants',
      { a: plan(provides('x')), b: '' },
      'Buildpack a provides "x", which neither it nor one behind it requires. Add one that does behind it.',
    ],
    [
      'that goes in a circle',
      { a: plan(provides('x') + requires('y')), b: plan(provides('y') + requires('x')) },
      'Buildpack a requires "y", which neither it nor one before it provides.',
    ],
    [
      'whose provider comes too late',
      { a: plan(requires('x')), b: plan(provides('x') + requires('x')) },
      'Buildpack a requires "x", which neither it nor one before it provides.',
    ],
  ])('%s is told so', async (_what, detects, message) => {
    const bench = await open(
      Object.fromEntries(Object.entries(detects).map(([id, detect]) => [id, { detect, build: web }])),
    );
    await expect(bench.build(source())).rejects.toThrow(message);
  });
});

describe('a detect', () => {
  it.each([
    ['in one line', "head -c 100M /dev/zero | tr '\\\\0' x"],
    ['in many lines', 'yes | head -c 100M'],
  ])(
    'that prints 100 MB %s is shown in part if it errs, and not at all if it passes',
    async (_what, print) => {
      const passing = await open({ a: { detect: print, build: web } });
      const { output } = await passing.build(source());
      expect(output.join('').length).toBeLessThan(10_000);
      const erring = await open({ a: { detect: `${print}; exit 7` } });
      const error = await erring.build(source()).catch(caught => caught);
      expect(error.message).toBe('Detection by buildpack a failed; its output is above.');
      expect(error.output.join('').length).toBeLessThan(300_000);
      expect(
        error.output.filter((line: string) => /^\(\d+ more lines were left out\)$/.test(line)),
      ).toHaveLength(1);
    },
  );

  it.each([
    ['without a word', 'sleep 1000', { silence: 1500 }, 'printed nothing for'],
    [
      'while it prints',
      'while true; do echo on; sleep 0.1; done',
      { time: 3000 },
      'stopped at its time limit of 3s',
    ],
    [
      'and ignores signals',
      "trap '' TERM INT HUP; while true; do sleep 1; done",
      { time: 3000 },
      'time limit of 3s',
    ],
  ])(
    'that hangs %s is stopped at its limit, with the way to raise it',
    async (_what, detect, limits, message) => {
      const bench = await open({ a: { detect, build: web } });
      const error = await bench.build(source(), { limits }).catch(caught => caught);
      expect(error.message).toContain(message);
      expect(error.message).toContain('raise the limit with: builds:set app');
    },
  );
});

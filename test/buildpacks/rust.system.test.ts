import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '../../src/domain/image.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

// Debian's cargo and what it needs is half a gigabyte, so the first build on a host takes a minute or two.
const patience = 420_000;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const rust = join(fixtures, 'rust');
const app = parseAppName('rust');
const answer = async (image: Image) => {
  let text = '';
  const ask = async (base: string) => {
    text = await (await fetchSoon(base)).text();
  };
  await bench.run(image, 'web', ask);
  return text;
};
const greet = (text: string) => (dir: string) => replace(join(dir, 'greeting/src/lib.rs'), 'Hello', text);

describe('an app in Rust', () => {
  it(
    'is compiled, and runs without the compiler in its image',
    async () => {
      const { image, output } = await bench.build(rust, { app });
      expect(output.join('\n')).toContain('rustc 1.63');
      expect(image.processes[0]?.command).toEqual(['boat']);
      expect(await answer(image)).toBe('Hello from Rust');
      expect(image.layers.length).toBeLessThan(6);
    },
    patience,
  );

  it(
    'is what was pushed, also when that is an older commit than the last',
    async () => {
      for (const text of ['Hello', 'Ahoy', 'Hello']) {
        const { image } = await bench.build(rust, { app, change: greet(text) });
        expect(await answer(image)).toBe(`${text} from Rust`);
      }
    },
    patience,
  );

  it(
    'takes crates from vendor without any registry (faked by a crate made by hand)',
    async () => {
      const change = (dir: string) => {
        rmSync(join(dir, 'Cargo.lock'));
        mkdirSync(join(dir, 'vendor/sail/src'), { recursive: true });
        writeFileSync(join(dir, 'vendor/sail/.cargo-checksum.json'), '{"files":{},"package":null}');
        writeFileSync(
          join(dir, 'vendor/sail/Cargo.toml'),
          '[package]\nname = "sail"\nversion = "1.2.3"\nedition = "2021"\n',
        );
        writeFileSync(join(dir, 'vendor/sail/src/lib.rs'), 'pub fn word() -> &\'static str { "Vendored" }\n');
        writeFileSync(
          join(dir, 'Cargo.toml'),
          `${readFileSync(join(dir, 'Cargo.toml'), 'utf8')}sail = "1"\n`,
        );
        replace(join(dir, 'src/main.rs'), 'greeting::greeting()', 'sail::word()');
      };
      const { image, output } = await bench.build(rust, { app: parseAppName('vendored'), change });
      expect(output.join('\n')).toContain('Using the crates in vendor');
      expect(output.join('\n')).toContain('There is no Cargo.lock');
      expect(await answer(image)).toBe('Vendored');
    },
    patience,
  );

  it.each([
    [
      'Cargo.toml',
      '1.63',
      '1.80',
      /Cargo\.toml asks for Rust 1\.80 \(rust-version\), and 1\.63\.0 is what can be had/,
    ],
    [
      'Cargo.toml',
      '"greeting" }',
      '"greeting" }\nmissing = { path = "greeting" }',
      /Cargo\.toml cannot be used/,
    ],
    [
      'Cargo.toml',
      'name = "boat"',
      'name = "ship"',
      /Cargo\.lock is out of step with Cargo\.toml\. Run cargo update/,
    ],
    [
      'Cargo.lock',
      'version = 3',
      'version = 4',
      /Cargo\.lock is of a version that Rust 1\.63\.0 cannot read/,
    ],
  ])(
    'is refused with a sentence when %s holds another thing than %j: %j',
    async (file, from, to, sentence) => {
      const change = (dir: string) => replace(join(dir, file), from, to);
      await expect(bench.build(rust, { app: parseAppName('refused'), change })).rejects.toThrow(sentence);
    },
    patience,
  );

  it(
    'is refused when it asks for a toolchain that cannot be had',
    async () => {
      const change = (dir: string) =>
        writeFileSync(join(dir, 'rust-toolchain.toml'), '[toolchain]\nchannel = "nightly-2024-01-01"\n');
      await expect(bench.build(rust, { app: parseAppName('refused'), change })).rejects.toThrow(
        'rust-toolchain.toml asks for Rust nightly-2024-01-01, and 1.63.0 is what can be had.',
      );
    },
    patience,
  );
});

function replace(file: string, from: string, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

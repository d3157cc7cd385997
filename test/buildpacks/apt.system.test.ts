import { appendFileSync, writeFileSync } from 'node:fs';
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

const aptfile = join(fixtures, 'aptfile');
const app = parseAppName('aptfile');

describe('an app with an Aptfile', () => {
  it('runs with the programs of its Debian packages', async () => {
    const { image, output } = await bench.build(aptfile, { app });
    expect(output.join('\n')).toContain('Debian packages of the Aptfile: hello');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello, world!\n');
    });
  });

  it('is built again after a code change without any container', async () => {
    await bench.build(aptfile, { app });
    const { sandboxes } = await bench.build(aptfile, {
      app,
      change: dir => appendFileSync(join(dir, 'serve.pl'), '\n'),
    });
    expect(sandboxes).toBe(0);
  });

  it.each([
    [
      'hello\n:repo:deb http://example.org/debian bookworm main',
      /another package source \(":repo:deb .*remove the line\./,
    ],
    ['https://example.org/tool.deb', /a download \("https:\/\/example\.org\/tool\.deb"\)/],
    ['./tool_1.0.deb', /a package file/],
    ['hello --allow-downgrades', /is no name of a Debian package\. Write one name on each line\./],
    ['--reinstall', /is no name of a Debian package/],
    [
      'hello\nno-such-package-anywhere',
      /Debian 12 has no package "no-such-package-anywhere"\. Correct its name/,
    ],
  ])('is refused with a sentence when the file says %j', async (text, sentence) => {
    const change = (dir: string) => writeFileSync(join(dir, 'Aptfile'), `${text}\n`);
    await expect(bench.build(aptfile, { app: parseAppName('refused'), change })).rejects.toThrow(sentence);
  });
});

describe('an app with a file named null', () => {
  it('is not built, whatever else lies in it: the Procfile names what runs', async () => {
    const { image, output } = await bench.build(join(fixtures, 'script'), {
      app: parseAppName('nothing'),
      change: dir => {
        writeFileSync(join(dir, 'null'), '');
        writeFileSync(join(dir, 'package.json'), '{"dependencies":{"ms":"2.1.3"}}');
      },
    });
    expect(output.join('\n')).toContain('Building nothing');
    expect(output.join('\n')).not.toContain('npm');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from a script');
    });
  });
});

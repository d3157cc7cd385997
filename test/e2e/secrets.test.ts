import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { type Run, run } from '../support/run.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const canary = 'canary-7f3a9c51-of-the-tests';
const build = `node -e "console.log('\\u001b[2J-----> Released: ' + process.env.KEY + '\\rremote: x')"`;
const manifest = { name: 'shop', private: true, type: 'module', scripts: { build } };

let wherry: Wherry;
let pushed: Run;
const argv: string[] = [];

beforeAll(async () => {
  wherry = await startWherry();
  await wherry.ssh('apps:create', 'shop');
  const looking = setInterval(() => argv.push(...processes()), 20);
  await wherry.cliWith(`KEY=${canary}\n`, 'config:import', '--secret', 'shop', '-');
  const files = { 'package.json': JSON.stringify(manifest) };
  pushed = await (await wherry.repository('shop', { from: probe, files })).push();
  clearInterval(looking);
  expect(pushed.code, pushed.output).toBe(0);
});
afterAll(() => wherry?.stop());

const inside = async () => (await wherry.get('shop', '/env?key=KEY')).text;

/** Command lines of all that runs on the host and names the value. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => contentOf(`/proc/${pid}/cmdline`))
    .filter(words => words.includes(canary));
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Files of the data directory that hold the value in clear; not what is mounted there, where the same ones are seen again. */
async function filesWithIt(): Promise<string[]> {
  const grep = ['-exec', 'grep', '-lF', canary, '{}', '+'];
  const { stdout } = await run('find', ['.', '-xdev', '-type', 'f', '-size', '-4M', ...grep], {
    cwd: wherry.data,
  });
  return stdout.trim().split('\n').sort();
}

describe('a write-only value', () => {
  it('is what the app runs with', async () => expect(await inside()).toBe(canary));

  it('is masked in what the build prints, which moves no terminal and looks like no line of ours', async () => {
    expect(pushed.stderr).toMatch(/^remote: {8}-----> Released: \[masked\] *$/m);
    const { stdout } = await wherry.ssh('builds:output', 'shop');
    expect(stdout).toMatch(/^ {7}-----> Released: \[masked\]$/m);
    expect(`${pushed.stderr}${stdout}`).not.toMatch(/[\x1b]\[2J/);
  });

  it('was in no command line of any process', () => expect(argv).toEqual([]));

  it('is in clear in no file but that of the instance which runs with it, closed to others', async () => {
    const found = await filesWithIt();
    expect(found.length).toBeGreaterThan(0);
    expect(
      found.filter(name => !/^\.\/engine\/instances\/[^/]+\/(?:spec|bundle\/config)\.json$/.test(name)),
    ).toEqual([]);
    for (const name of found) {
      const asOthers = { uid: 65_534, gid: 65_534 };
      expect(await run('cat', [join(wherry.data, name)], asOthers)).toMatchObject({ code: 1, stdout: '' });
    }
  });

  it('is in no log of the platform', async () => {
    expect(wherry.log()).not.toContain(canary);
    for (const words of [
      ['events'],
      ['audit'],
      ['report', 'shop'],
      ['releases:info', 'shop'],
      ['ps:inspect', 'shop'],
    ])
      expect((await wherry.ssh(...words)).output, words.join(' ')).not.toContain(canary);
  });
});

describe('a change of the key', () => {
  it.each(['secrets:key', 'secrets:some', 'secrets:all'])(
    'that is cut off by a kill at %s loses nothing',
    async point => {
      await wherry.kill();
      await wherry.start(point);
      expect((await wherry.cli('secrets:rotate')).code).not.toBe(0);
      await wherry.ended();
      await wherry.start();
      expect(await inside()).toBe(canary);
      expect((await wherry.ssh('config:set', 'shop', `AFTER=${point}`)).code).toBe(0);
      expect(await inside()).toBe(canary);
    },
  );

  it('is done while the app answers', async () => {
    const before = readFileSync(join(wherry.data, 'secret.key'));
    const { code, output } = await wherry.ssh('secrets:rotate');
    expect(code, output).toBe(0);
    expect(readFileSync(join(wherry.data, 'secret.key'))).not.toEqual(before);
    expect(await inside()).toBe(canary);
    expect((await wherry.ssh('ps:restart', 'shop')).code).toBe(0);
    expect(await inside()).toBe(canary);
  });
});

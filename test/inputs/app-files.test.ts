import { describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';
import { parseRelease } from '../../src/build/classic/release-yaml.ts';
import { parseProcfile } from '../../src/build/procfile.ts';

const refusal = expect.objectContaining({
  code: 'build-failed',
  message: expect.stringMatching(/^[\x20-\x7e]{10,400}$/),
});
const cron = (schedule: string, command: string) => JSON.stringify({ cron: [{ schedule, command }] });

describe('a Procfile', () => {
  it('(43) of 10,000 types is refused at the 101st', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => `type${at}: run ${at}`).join('\n');
    expect(() => parseProcfile(text)).toThrow(/more than 100 process types/);
  });

  it('(43) with a BOM, tabs and no line end is read', () => {
    const { processes } = parseProcfile('\ufeffweb:\tnode a.js\t| tee x\r\nworker :  b');
    expect([...processes]).toEqual([
      ['web', 'node a.js\t| tee x'],
      ['worker', 'b'],
    ]);
  });
});

describe('an app.json', () => {
  it.each([
    ['lists in lists', '['.repeat(200_000)],
    ['objects in objects', '{"a":'.repeat(200_000)],
    ['a formation in itself', `${'{"formation":'.repeat(5000)}1${'}'.repeat(5000)}`],
    ['a huge number of processes', '{"formation":{"web":{"quantity":1e300}}}'],
    ['a negative number of processes', '{"formation":{"web":{"quantity":-1}}}'],
    ['a number beyond all', `{"formation":{"web":{"quantity":${'9'.repeat(400)}}}}`],
    ['a schedule of six fields', cron('* * * * * *', 'x')],
    ['a schedule with a command in it', cron('* * * * *;rm -rf /', 'x')],
    ['a schedule on two lines', cron('* * * * *\n* * * * *', 'x')],
    [
      'a key that moves the cursor',
      '{"formation":{"web":{"\\u001b[2J\\n":1,"quantity":-1},"\\u001b[2J\\n":{"quantity":-1}}}',
    ],
    ['a schedule of a day that never comes', cron('0 0 31 2 *', 'x')],
  ])('(44) with %s is refused', (_what, text) => {
    expect(() => parseAppJson(text)).toThrow(refusal);
  });

  it('(44) has commands that are kept as they are: they run inside, by the shell of the app', () => {
    const command = 'a | b; rm -rf / && $(id) `id` > x';
    expect(parseAppJson(cron('*/5 * * * *', command)).parts.cron).toMatchObject([{ command }]);
  });
});

describe('the YAML of a classic buildpack', () => {
  it.each([
    ['anchors that refer to anchors', 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n'],
    ['a tag', 'default_process_types: !!python/object/apply:os.system ["id"]\n'],
    ['a merge', 'default_process_types:\n  <<: *a\n'],
  ])('(47) with %s is refused, or is nothing', (_what, text) => {
    let read: unknown;
    try {
      read = parseRelease(`---\n${text}`);
    } catch (error) {
      expect(error).toEqual(refusal);
    }
    expect(JSON.stringify(read ?? {})).not.toMatch(/python|x,x|\*a/);
  });
});

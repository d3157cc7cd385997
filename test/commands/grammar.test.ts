import { describe, expect, it } from 'vitest';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { duration } from '../../src/commands/kinds.ts';
import { parseJson, parseWords } from '../../src/commands/parse.ts';

const registry = createCoreRegistry();

/** The command and its input, as a front end would make them of words. */
const understood = (...words: string[]) => {
  const { name, rest, globals } = readInvocation(words);
  const command = registry.find(name ?? '');
  const input = parseWords(command, readWords(command, rest, globals));
  return { name: command.name, input, globals };
};

describe('a command line', () => {
  it('takes global flags before and after the command', () => {
    expect(understood('--quiet', 'apps:list', '--format', 'json').globals).toMatchObject({
      quiet: true,
      format: 'json',
    });
    expect(understood('apps:destroy', 'blog', '--force').globals.force).toBe(true);
    expect(understood('--force', '--trace', 'apps:destroy', 'blog').globals).toMatchObject({
      force: true,
      trace: true,
    });
  });

  it('puts --app in front of the positional words', () => {
    expect(understood('--app', 'blog', 'config:get', 'KEY').input).toMatchObject({ app: 'blog', key: 'KEY' });
    expect(understood('config:get', '--app=blog', 'KEY').input).toMatchObject({ app: 'blog', key: 'KEY' });
  });

  it('skips the -- that dokku users put in front of the command', () => {
    expect(understood('--', 'urls', 'blog').input).toMatchObject({ app: 'blog' });
  });

  it('takes a negative number for a value, not for flags', () => {
    expect(understood('ps:set', 'blog', 'max-parallel', '-1').input).toMatchObject({ value: '-1' });
    expect(() => understood('ps:set', 'blog', 'max-parallel', '-x')).toThrow('not known');
  });

  it('takes everything after -- as it is', () => {
    expect(understood('config:set', 'blog', '--', 'A=--quiet', 'B=2').input['pairs']).toEqual(
      new Map([
        ['A', '--quiet'],
        ['B', '2'],
      ]),
    );
  });

  it.each([
    [['logs', 'blog', '-t', '-n', '50', '-p', 'web']],
    [['logs', '-tn50', '-pweb', 'blog']],
    [['logs', '--tail', '--num=50', '--ps', 'web', 'blog']],
  ])('reads the short and the long forms of flags alike: %j', words => {
    expect(understood(...words).input).toEqual({ app: 'blog', tail: true, num: 50, ps: 'web' });
  });

  it('leaves out what is not given, and takes defaults', () => {
    expect(understood('events').input).toEqual({ app: undefined, num: 100, tail: false });
  });

  it('gives a flag of the command before a global one of the same name', () => {
    const { input, globals } = understood('config:export', '--format', 'shell', 'blog');
    expect(input['format']).toBe('shell');
    expect(globals.format).toBe('stdout');
  });

  it.each([
    [['apps:list', '--nope'], 'usage', /--nope.*not known to apps:list/],
    [['--nope', 'apps:list'], 'usage', /--nope.*not known in front/],
    [['apps:list', 'blog'], 'usage', /"blog" is one word too many/],
    [['resource:limit', 'blog', '--memory'], 'usage', /--memory needs a value/],
    [['apps:create'], 'usage', /<app> is missing/],
    [['config:get', 'blog'], 'usage', /<KEY> is missing/],
    [['config:set', 'blog'], 'usage', /<KEY=VALUE> is missing/],
    [['urls'], 'invalid', /^Please specify an app to run the command on$/],
    [['apps:list', '--format', 'xml'], 'usage', /stdout or json/],
    [['logs', 'blog', '-x'], 'usage', /"-x" is not known/],
    [['logs', 'blog', '-n', '1.5'], 'invalid', /whole number from 0 to 100000/],
    [['logs', 'blog', '--tail=maybe'], 'invalid', /neither true nor false/],
  ])('refuses %j', (words, code, message) => {
    expect(() => understood(...words)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('counts', () => {
  const counts = (...pairs: string[]) => understood('ps:scale', 'blog', ...pairs).input['counts'];

  it('are whole numbers from 0 to 100 for each process', () => {
    expect(counts('web=2', 'worker=0', 'a-b=100')).toEqual(
      new Map([
        ['web', 2],
        ['worker', 0],
        ['a-b', 100],
      ]),
    );
  });

  it.each([
    ['web=-1'],
    ['web=101'],
    ['web=1000000'],
    ['web=1.5'],
    ['web=NaN'],
    ['web='],
    ['web=1e1'],
    ['web=0x1'],
  ])('refuse %s with the range', pair => {
    expect(() => counts(pair)).toThrow(/number of instances for "web". Give a whole number from 0 to 100\./);
  });

  it.each([['web'], ['=1'], ['we b=1'], ['../x=1']])('refuse %s', pair => {
    expect(() => counts(pair)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('limits', () => {
  it.each([['0'], ['-1'], ['NaN'], ['999T'], ['1e99'], [''], ['512 eggs'], ['0x10'], ['Infinity']])(
    'of memory are refused as %j',
    limit => {
      expect(() => understood('resource:limit', '--memory', limit, 'blog')).toThrow(
        expect.objectContaining({ code: 'invalid', message: expect.stringMatching(/^Memory /) }),
      );
    },
  );

  it.each([['0'], ['-1'], ['NaN'], ['2000'], ['1,5'], ['']])('of CPU are refused as %j', limit => {
    expect(() => understood('resource:limit', '--cpu', limit, 'blog')).toThrow(/CPU limit/);
  });

  it('are taken with units, and "clear" is none', () => {
    const limit = (...words: string[]) => understood('resource:limit', ...words, 'blog').input;
    expect(limit('--memory', '512')).toMatchObject({ memory: 512 * 2 ** 20, cpu: undefined });
    expect(limit('--memory=1g', '--cpu', '1.5')).toMatchObject({ memory: 2 ** 30, cpu: 1.5 });
    expect(limit('--memory', 'clear', '--cpu', 'clear')).toMatchObject({ memory: null, cpu: null });
  });
});

describe('a duration', () => {
  it.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['250ms', 250],
    ['15m', 900_000],
    ['2h', 7_200_000],
  ])('of %s is %i milliseconds', (word, ms) => {
    expect(duration.parse(word)).toBe(ms);
  });

  it.each([['-1s'], ['1.5h'], ['soon'], [''], ['1w']])('is not %j', word => {
    expect(() => duration.parse(word)).toThrow(/Give for example 90s, 15m or 2h/);
  });
});

describe('arguments as JSON', () => {
  const parsed = (name: string, body: Record<string, unknown>) => parseJson(registry.find(name), body);

  it('take objects for pairs and counts', () => {
    expect(parsed('config:set', { app: 'blog', pairs: { A: '1' } })['pairs']).toEqual(new Map([['A', '1']]));
    expect(parsed('ps:scale', { app: 'blog', counts: { web: 2 } })['counts']).toEqual(new Map([['web', 2]]));
  });

  it.each([
    ['urls', { app: 5 }, 'invalid'],
    ['urls', { app: ['blog', 'x'] }, 'invalid'],
    ['urls', { app: 'blog', other: 1 }, 'usage'],
    ['urls', {}, 'invalid'],
    ['ps:scale', { app: 'blog', counts: { web: -1 } }, 'invalid'],
    ['ps:scale', { app: 'blog', counts: { web: 1.5 } }, 'invalid'],
    ['config:set', { app: 'blog', pairs: { A: 1 } }, 'invalid'],
    ['config:set', { app: 'blog', pairs: { A: 'x\0y' } }, 'invalid'],
    ['domains:add', { app: 'blog', domains: [{}] }, 'invalid'],
    ['apps:create', { app: '__proto__' }, 'invalid'],
  ])('are refused by %s as %j', (name, body, code) => {
    expect(() => parsed(name, body)).toThrow(expect.objectContaining({ code }));
  });
});

import { describe, expect, it } from 'vitest';
import { parseEnvFile } from '../../src/domain/env-file.ts';

const read = (text: string) => Object.fromEntries(parseEnvFile(text));

describe('an env file', () => {
  it.each([
    ['A=1\nB=two words \n', { A: '1', B: 'two words' }],
    ['# first\n\n  export A=1 # why\nB=a#b\n', { A: '1', B: 'a#b' }],
    ["A='it # is $HOME \\n'\n", { A: 'it # is $HOME \\n' }],
    ['A="one\\ntwo \\"quoted\\" \\$HOME \\\\" # end\nB=', { A: 'one\ntwo "quoted" $HOME \\', B: '' }],
    [
      'KEY="-----BEGIN-----\nabc\n-----END-----"\nB=1',
      { KEY: '-----BEGIN-----\nabc\n-----END-----', B: '1' },
    ],
    ['A=1\r\nB="2"\r\n', { A: '1', B: '2' }],
    ['A = spaced\nA=last=wins\n', { A: 'last=wins' }],
    ['export=1', { export: '1' }],
    ['\uFEFFA=1', { A: '1' }],
    ['  # nothing', {}],
    ['', {}],
  ])('%j is understood', (text, values) => expect(read(text)).toEqual(values));

  it.each([
    ['A=1\nnovalue\n', /Line 2 .*KEY=VALUE/],
    ['A="open\nB=1\n', /Line 1 .*not closed/],
    ["\n\nA='open", /Line 3 .*not closed/],
    ['A="a" b', /Line 1 .*behind a closing quote/],
    ['=1', /Line 1 /],
    ['"A"=1', /Line 1 /],
  ])('%j is refused with its line, and no value in the words', (text, words) => {
    expect(() => read(text)).toThrow(words);
  });

  it('of a size that is too large for a variable is read without trouble', () => {
    const big = '\\\\"'.replace('"', 'x').repeat(500_000);
    expect(read(`A="${big}"`)['A']).toHaveLength(1_000_000);
    expect(() => read(`A="${big}`)).toThrow(/not closed/);
  });
});

import { describe, expect, it } from 'vitest';
import { parseJson, parseJsonc } from '../../src/build/jsonc.ts';

describe('JSON with comments', () => {
  it('reads everything that plain JSON can hold as JSON.parse does', () => {
    const text = String.raw` { "a": [1, -0.5e+3, 0, "x\n\"\u00e9\\", true, false, null, {}, []], "b": {"c": {}} } `;
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(parseJsonc(text)).toEqual(JSON.parse(text));
  });

  it('passes over comments, trailing commas and a BOM, but not inside strings', () => {
    const text = '\uFEFF// one\n{ "url": "http://x/*y*/", /* two\n */ "list": [1, 2, /* three */ ], }';
    expect(parseJsonc(text)).toEqual({ url: 'http://x/*y*/', list: [1, 2] });
  });

  it.each([
    ['{\n  "a": }', 'A value is missing at line 2, column 8'],
    ['{"a" 1}', 'A colon is missing at line 1, column 6'],
    ['[1 2]', 'A comma or "]" is missing at line 1, column 4'],
    ['[1,,2]', 'A value is missing at line 1, column 4'],
    ['{"a": "x\ny"}', 'A string in double quotes is missing or not ended at line 1, column 7'],
    ["{'a': 1}", 'A string in double quotes is missing or not ended at line 1, column 2'],
    ['{} {}', 'There is more after the end at line 1, column 4'],
    ['', 'A value is missing at line 1, column 1'],
    ['[01]', 'A comma or "]" is missing at line 1, column 3'],
    ['['.repeat(10_000), 'It is nested too deeply at line 1, column 102'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => parseJsonc(text)).toThrow(message);
  });

  it('takes neither comments nor trailing commas for plain JSON', () => {
    expect(() => parseJson('{"a": 1,}')).toThrow('line 1, column 9');
    expect(() => parseJson('// x\n{}')).toThrow('Comments are not allowed');
  });

  it('does not let a key reach the prototype', () => {
    const value = parseJsonc('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });
});

import { describe, expect, it } from 'vitest';
import { parseRelease } from '../../../src/build/classic/release-yaml.ts';

const read = (yaml: string) => {
  const { processes, config } = parseRelease(yaml);
  return { processes: Object.fromEntries(processes), config: Object.fromEntries(config) };
};
const web = (command: string) => ({ processes: { web: command }, config: {} });

describe('what bin/release prints', () => {
  it.each([
    ['', { processes: {}, config: {} }],
    ['--- {}', { processes: {}, config: {} }],
    ['--- {}\n', { processes: {}, config: {} }],
    ['---\naddons: []\ndefault_process_types: {}\n', { processes: {}, config: {} }],
    [
      '---\naddons:\n- heroku-postgresql\n- redis: x\ndefault_process_types:\n  web: bin/start\n',
      web('bin/start'),
    ],
    ['default_process_types:\n    web: bin/web -p $PORT # the port\n', web('bin/web -p $PORT')],
    ['default_process_types:\n  web: a: b && c\n', web('a: b && c')],
    ['default_process_types:\n  "web": "say \\"hi\\" # not a comment"\n', web('say "hi" # not a comment')],
    ["default_process_types:\n  'web': 'it''s' # comment\n", web("it's")],
    ['default_process_types:\r\n  web: x\r\n', web('x')],
    [
      'default_process_types:\n  web: >-\n    one\n    two\n\nconfig_vars:\n  A: b\n',
      { processes: { web: 'one two' }, config: { A: 'b' } },
    ],
    ['default_process_types:\n  web: |\n    one\n    two\n', web('one\ntwo')],
    ['{"default_process_types": {"web": "x"}, "addons": []}', web('x')],
    ['--- {"default_process_types": {"web": "x"}}', web('x')],
    ['default_process_types:\n  web: ~\n  worker: y\n', { processes: { worker: 'y' }, config: {} }],
  ])('H4 %j is read', (yaml, expected) => {
    expect(read(yaml)).toEqual(expected);
  });

  it.each([
    ['default_process_types: {web: x}', 1],
    ['---\ndefault_process_types:\n  web: &anchor x', 3],
    ['default_process_types:\n  web: "unclosed', 2],
    ['default_process_types:\n  what is this', 2],
    ['{ web: x', 1],
  ])('H4 %j is refused with its line', (yaml, line) => {
    expect(() => parseRelease(yaml)).toThrow(new RegExp(`cannot be read, line ${line}:`));
  });
});

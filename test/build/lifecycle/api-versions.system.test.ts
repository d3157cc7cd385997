import { describe, expect, it } from 'vitest';
import { outputOf } from '../support/output-of.ts';
import { shellBenches } from '../support/shell-bench.ts';

// One and the same buildpack at every version of the Buildpack API, and what differs between them.

const { open, source } = shellBenches();

const names = (phase: string) =>
  `echo "${phase} $# $(env | sed -n 's/^\\(CNB_[A-Z_]*\\)=.*/\\1/p' | grep -v DISTRO | LC_ALL=C sort | tr '\\n' ' ')"`;
const detect = `[[ $1 == /platform && $2 == /cnb/plans/a.toml && -f $2 ]] || exit 9; ${names('detect')} >&2; exit 0`;
const both = ['CNB_BUILDPACK_DIR', 'CNB_STACK_ID'];
const phase = ['CNB_BP_PLAN_PATH', 'CNB_LAYERS_DIR', 'CNB_PLATFORM_DIR'];
const target = ['CNB_TARGET_ARCH', 'CNB_TARGET_OS'];

/** From 0.9 on a command is a list that is run as it is, and what a person adds replaces its arguments. */
const list = 'command = ["printf", "[%s]", "$HOME"]\\nargs = ["default"]';
const text = `command = "printf '[%s]' $HOME"`;
const processes = {
  '0.7': { toml: text, direct: false },
  '0.8': { toml: text, direct: false },
  '0.9': { toml: list, direct: true },
  '0.10': { toml: list, direct: true },
  '0.11': { toml: list, direct: true },
  '0.12': { toml: list, direct: true },
};

describe('the Buildpack API', () => {
  it.each([
    ['0.7', both, '/workspace'],
    ['0.8', [...both, ...phase], '/tmp'],
    ['0.9', [...both, ...phase], '/tmp'],
    ['0.10', [...both, ...phase, ...target], '/tmp'],
    ['0.11', [...both, ...phase, ...target], '/tmp'],
    ['0.12', [...both, ...phase, ...target, 'CNB_EXEC_ENV'], '/tmp'],
  ] as const)('A2 A3 V2 tells and takes at %s: %j, and works in %s', async (api, known, workingDir) => {
    const { toml, direct } = processes[api];
    const build = `[[ $1 == /layers/a && $2 == /platform && $3 == /cnb/plans/a.toml ]]; ${names('build')}
      cat > "$1/launch.toml" <<'TOML'
[[processes]]
type = "web"
${toml.replaceAll('\\n', '\n')}
working-dir = "/tmp"
[[processes]]
type = "elsewhere"
command = ${direct ? '["true"]' : '"true"'}
exec-env = ["test"]
TOML`;
    const bench = await open({ a: { api, detect, build } });
    const { image, output } = await bench.build(source());
    expect(output).toContain(`build 3 ${[...known].sort().join(' ')} `);
    expect(image.processes.map(({ type }) => type)).toEqual(api === '0.12' ? ['web'] : ['elsewhere', 'web']);
    expect(image.processes.find(({ type }) => type === 'web')?.workingDir).toBe(workingDir);
    // A shell puts in what $HOME is; without one it is a word like any.
    const printed = await outputOf(bench, image, { type: 'web' });
    expect(printed.trim()).toBe(direct ? '[$HOME][default]' : '[/home/app]');
    const warned = output.some(line => line.includes('working-dir of web is ignored'));
    expect(warned).toBe(api === '0.7');
  });

  it.each([
    ['0.8', 'command = ["x"]', 'command must be a string up to API 0.8'],
    ['0.9', 'command = "x"', 'command must be a list'],
    ['0.9', 'command = ["x"]\\ndirect = false', '"direct" is not a key from API 0.9 on'],
    ['0.12', 'command = "x"', 'command must be a list'],
  ])('A2 refuses at %s what is of another version: %j', async (api, toml, message) => {
    const bench = await open({
      a: { api, build: `printf '[[processes]]\\ntype = "web"\\n${toml}\\n' > "$1/launch.toml"` },
    });
    await expect(bench.build(source())).rejects.toThrow(message);
  });
});

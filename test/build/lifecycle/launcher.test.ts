import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchProcess } from '../../../src/build/lifecycle/launch.ts';
import { type LauncherPlan, renderLauncher } from '../../../src/build/lifecycle/launcher.ts';
import type { ForType } from '../../../src/build/lifecycle/record.ts';
import { renderShell } from '../../../src/build/lifecycle/shell.ts';
import { parseProcessType } from '../../../src/domain/names.ts';
import { ExecError, exec } from '../../../src/system/exec.ts';

// The real scripts in real shells, with the container's folders moved below a folder of the test.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-launcher-'));
  for (const folder of ['process', 'lifecycle', 'workspace']) mkdirSync(join(root, folder));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Profiles = readonly ForType<{ readonly path: string }>[];

function install(plan: Partial<LauncherPlan>, profiles: Profiles = []): void {
  const processes = plan.processes ?? [];
  put('lifecycle/launcher', renderLauncher({ changes: [], programs: [], ...plan, processes }));
  put('lifecycle/shell', renderShell(profiles));
  for (const { type } of processes)
    symlinkSync(join(root, 'lifecycle/launcher'), join(root, 'process', type));
}

function put(path: string, text: string): string {
  const here = text.replaceAll('/cnb/', `${root}/`).replaceAll('/workspace', `${root}/workspace`);
  writeFileSync(join(root, path), here);
  chmodSync(join(root, path), 0o755);
  return join(root, path);
}

async function launch(
  program: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { env: { PATH: `${root}/process:${root}/lifecycle:/usr/bin:/bin`, ...env }, cwd: root };
  try {
    const { stdout, stderr } = await exec(join(root, program), args, options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    return { code: error.exitCode, stdout: error.stdout, stderr: error.stderr };
  }
}

const process = (type: string, more: Partial<LaunchProcess>): LaunchProcess => ({
  type: parseProcessType(type),
  command: ['true'],
  args: [],
  replaceArgs: true,
  direct: true,
  default: false,
  workingDir: '/workspace',
  ...more,
});
const show = ['printf', '[%s]'];
const override = (name: string, value: string) => ({
  name,
  value,
  action: 'override' as const,
  delimiter: '',
});

describe('the launcher', () => {
  it('L1 takes the process type from the name it is called by', async () => {
    install({
      processes: [
        process('web', { command: [...show, 'web'] }),
        process('worker', { command: [...show, 'w'] }),
      ],
      changes: [{ ...override('ONLY', 'web'), type: 'web' }],
    });
    expect((await launch('process/web')).stdout).toBe('[web]');
    expect((await launch('process/worker')).stdout).toBe('[w]');
  });

  it('L1 runs what follows -- as it is, and anything else in a shell', async () => {
    install({});
    expect((await launch('lifecycle/launcher', ['--', ...show, '$HOME', 'a b'])).stdout).toBe('[$HOME][a b]');
    expect((await launch('lifecycle/launcher', ['echo $ONE; echo two'], { ONE: '1' })).stdout).toBe(
      '1\ntwo\n',
    );
  });

  it('L1 S6 refuses to run nothing, and what is no process type', async () => {
    install({ processes: [process('web', {})] });
    const nothing = await launch('lifecycle/launcher');
    expect([nothing.code, nothing.stderr]).toEqual([82, expect.stringContaining('Name a process type')]);
    expect((await launch('lifecycle/launcher', ['--'])).code).toBe(82);
    symlinkSync(join(root, 'lifecycle/launcher'), join(root, 'process/other'));
    expect((await launch('process/other')).stderr).toContain('There is no process type other');
  });

  it('L1 ends with the exit status of the process', async () => {
    install({ processes: [process('web', { command: ['bash', '-c', 'exit 7'] })] });
    expect((await launch('process/web')).code).toBe(7);
  });

  it("L2 replaces default arguments by the person's from API 0.9 on, and appends them before", async () => {
    install({
      processes: [
        process('new', { command: [...show, 'always'], args: ['usual'] }),
        process('old', { command: show, args: ['usual'], replaceArgs: false }),
      ],
    });
    expect((await launch('process/new')).stdout).toBe('[always][usual]');
    expect((await launch('process/new', ['mine'])).stdout).toBe('[always][mine]');
    expect((await launch('process/old')).stdout).toBe('[usual]');
    expect((await launch('process/old', ['mine'])).stdout).toBe('[usual][mine]');
  });

  it('L3 sets what exec.d programs print on descriptor 3, each before the next, in the folder of the app', async () => {
    const toml = ['A = "1"', '# no', String.raw`"QUOTED" = "x\ty \"z\" \u00e4" # end`, String.raw`L = 'a\n'`];
    const first = put('first', `#!/bin/bash\necho to stdout\ncat >&3 <<'END'\n${toml.join('\n')}\nEND\n`);
    const second = put('second', '#!/bin/bash\nprintf \'B = "%s from %s"\\n\' "$A" "${PWD##*/}" >&3\n');
    const web = put('web', '#!/bin/bash\necho \'WEB = "yes"\' >&3\n');
    install({
      programs: [{ path: first }, { path: second }, { path: web, type: 'web' }],
      processes: [process('web', { command: ['env'] }), process('other', { command: ['env'] })],
    });
    const { stdout } = await launch('process/web', [], { LANG: 'C.UTF-8' });
    const lines = stdout.split('\n');
    for (const line of ['to stdout', 'A=1', 'QUOTED=x\ty "z" ä', 'L=a\\n', 'B=1 from workspace', 'WEB=yes'])
      expect(lines).toContain(line);
    expect((await launch('process/other')).stdout).not.toContain('WEB=');
  });

  it('L3 takes texts of several lines, as libraries write what has line ends in it', async () => {
    const toml = String.raw`KEY = """
-----BEGIN \u00e4-----
a "quoted" \t word

-----END-----"""
RAW = '''one \n
$(id) two'''
SHORT = """short"""
EMPTY = ""
AFTER = 'yes'`;
    const program = put('program', `#!/bin/bash\ncat >&3 <<'END'\n${toml}\nEND\n`);
    install({ programs: [{ path: program }], processes: [process('web', { command: ['env', '-0'] })] });
    const { stdout } = await launch('process/web', [], { LANG: 'C.UTF-8' });
    expect(stdout.split('\0')).toEqual(
      expect.arrayContaining([
        'KEY=-----BEGIN \u00e4-----\na "quoted" \t word\n\n-----END-----',
        'RAW=one \\n\n$(id) two',
        'SHORT=short',
        'EMPTY=',
        'AFTER=yes',
      ]),
    );
  });

  it.each([
    ['prints a text without an end', `printf 'A = """x\\ny\\n' >&3`, 'something else than TOML of strings'],
    ['prints an escape that is none', `echo 'A = """x\\qy"""' >&3`, 'something else than TOML of strings'],
    ['fails', 'echo the reason >&2; exit 3', 'exec.d program'],
    ['prints no TOML of strings', 'echo "A = 1" >&3', 'something else than TOML of strings'],
    ['names no variable', `echo 'A-B = "1"' >&3`, 'A-B'],
  ])('L3 does not start the process when an exec.d program %s', async (_name, script, message) => {
    const program = put('program', `#!/bin/bash\n${script}\n`);
    install({ programs: [{ path: program }], processes: [process('web', { command: ['echo', 'ran'] })] });
    const { code, stdout, stderr } = await launch('process/web');
    expect([code, stdout]).toEqual([82, '']);
    expect(stderr).toContain(message);
  });

  it('L4 sources profile.d scripts in order, those of the type, then .profile, for a shell only', async () => {
    const profile = (name: string) => put(name, `WORD="\${WORD-}${name} "; export WORD\n`);
    const profiles = [{ path: profile('a') }, { path: profile('b'), type: 'web' }, { path: profile('c') }];
    put('workspace/.profile', 'export WORD="${WORD}$(basename "$PWD")"; cd /\n');
    const print = { command: ['echo "$WORD in ${PWD##*/}"'], direct: false };
    install(
      {
        processes: [
          process('web', print),
          process('worker', { ...print, workingDir: root }),
          process('direct', { command: ['sh', '-c', 'echo "[${WORD-}]"'] }),
        ],
      },
      profiles,
    );
    expect((await launch('process/web')).stdout).toBe('a b c workspace in workspace\n');
    expect((await launch('process/worker')).stdout).toBe(`a c workspace in ${root.split('/').at(-1)}\n`);
    expect((await launch('process/direct')).stdout).toBe('[]\n');
    // As the runtime does it: the type by DYNO.
    const command = [join(root, 'lifecycle/shell'), 'echo $WORD'];
    expect((await launch('lifecycle/launcher', ['--', ...command], { DYNO: 'web.1' })).stdout).toBe(
      'a b c workspace\n',
    );
  });

  it('L5 runs one word as a script and expands each of several once', async () => {
    const old = { direct: false, replaceArgs: false };
    install({
      processes: [
        process('script', { ...old, command: ['printf "[%s]" $TWO; printf "%s" "&&"'] }),
        process('words', { ...old, command: ['printf'], args: ['[%s]', '$TWO', '$HOME and "$TWO"', "it's"] }),
      ],
    });
    const env = { TWO: 'one two', HOME: '/h' };
    expect((await launch('process/script', [], env)).stdout).toBe('[one][two]&&');
    expect((await launch('process/words', [], env)).stdout).toBe("[one two][/h and one two][it's]");
    expect((await launch('process/words', ['$HOME'], env)).stdout).toContain('[/h]');
  });

  it('L6 makes way for the process, which it finds on the launch PATH', async () => {
    mkdirSync(join(root, 'bin'));
    put('bin/pid', '#!/bin/sh\necho "$PPID"\n');
    const changes = [{ name: 'PATH', value: join(root, 'bin'), action: 'prepend' as const, delimiter: ':' }];
    const processes = [
      process('web', { command: ['pid'] }),
      process('old', { command: ['pid; true'], direct: false }),
    ];
    install({ changes, processes });
    const started = String(globalThis.process.pid);
    expect((await launch('process/web')).stdout.trim()).toBe(started);
    expect((await launch('process/old')).stdout.trim()).not.toBe('');
  });

  it('V7 hides the variables and folders of the platform and keeps the rest', async () => {
    install({});
    const env = { CNB_LAYERS_DIR: '/layers', CNB_APP_DIR: '/x', CNB_PLATFORM_API: '0.12', MINE: '1' };
    const { stdout } = await launch('lifecycle/launcher', ['--', 'env'], env);
    expect(stdout).not.toContain('CNB_');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['MINE=1', 'PATH=/usr/bin:/bin']));
  });

  it('V7 applies changes for a type only to it', async () => {
    const changes = [override('BOTH', '1'), { ...override('ONLY', '2'), type: 'web' }];
    install({
      changes,
      processes: [process('web', { command: ['env'] }), process('x', { command: ['env'] })],
    });
    expect((await launch('process/web')).stdout).toContain('ONLY=2');
    expect((await launch('process/x')).stdout).not.toContain('ONLY');
  });
});

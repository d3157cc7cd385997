import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { isPublic } from '../fetch/addresses.ts';
import { bad } from './bad.ts';
import { type BaseName, readBaseName } from './base-name.ts';
import { copyHeredocs, runHeredoc } from './here-steps.ts';
import { type Instruction, parseDockerfile } from './parse.ts';

export type Scanned = {
  /** The Dockerfile to build: as it came, but for what is named in `warnings` and for names of images. */
  readonly text: string;
  /** What its stages start from and copy from, each once. */
  readonly bases: readonly BaseName[];
  /** What lies in here-documents, for the build context of that name. */
  readonly files: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
};

/** What is asked for beside the Dockerfile. */
export type Given = {
  readonly args?: Readonly<Record<string, string>>;
  /** The stage that is to be the image. */
  readonly target?: string | undefined;
  /** What every stage gets as ARG, `NAME` or `NAME=value`: no image keeps it. */
  readonly stageArgs?: readonly string[];
  /** `--mount` of every RUN: what is in no image either. */
  readonly mount?: string | undefined;
};

/** Bytes that the image builder reads of one. */
const longestLine = 60_000;

type Found = {
  readonly bases: Map<string, BaseName>;
  readonly files: Map<string, string>;
  readonly warnings: Set<string>;
  /** By number and by name in small letters. */
  readonly stages: Map<string, Stage>;
  stage: Stage;
};
type Stage = {
  readonly number: number;
  /** What SHELL says in it, if it says something. */
  shell: readonly string[] | undefined;
};

/**
 * Looks at a Dockerfile before anything of it is run: refuses what would reach out of the build (other front ends, mounts, the
 * host's network, images that are files of the host, addresses inside the network) and writes it out anew for the builder.
 * @throws build-failed naming the line
 */
export function scanDockerfile(source: string, given: Given = {}): Scanned {
  const { directives, instructions } = parseDockerfile(source);
  const found: Found = {
    bases: new Map(),
    files: new Map(),
    warnings: new Set(),
    stages: new Map(),
    stage: { number: -1, shell: undefined },
  };
  checkDirectives(directives);
  const defaults = new Map<string, string>();
  const lines: string[] = [];
  for (const instruction of instructions) {
    if (instruction.name === 'ARG' && found.stages.size === 0)
      addDefault(defaults, instruction.rest, given.args);
    const checked = check(instruction, defaults, found);
    if (checked.name === 'SHELL') found.stage.shell = wordsOf(checked.rest);
    for (const step of withoutHeredocs(checked, found)) lines.push(render(withMount(step, given)));
    if (checked.name === 'FROM' && given.stageArgs?.length) lines.push(`ARG ${given.stageArgs.join(' ')}`);
  }
  if (!instructions.some(({ name }) => name === 'FROM')) throw bad(1, 'it has no FROM. Begin with one');
  if (given.target !== undefined && !found.stages.has(given.target.toLowerCase()))
    throw new WherryError(
      'build-failed',
      `The Dockerfile has no stage ${quoteForPeople(given.target)}. Correct the docker-option --target.`,
    );
  return {
    text: `${lines.join('\n')}\n`,
    bases: [...found.bases.values()],
    files: found.files,
    warnings: [...found.warnings],
  };
}

function withoutHeredocs(instruction: Instruction, found: Found): readonly Instruction[] {
  if (instruction.heredocs.length === 0) return [instruction];
  if (instruction.name === 'RUN') {
    const { instruction: step, file } = runHeredoc(instruction, found.stage.shell);
    if (file) found.files.set(...file);
    return [step];
  }
  const { instructions, files } = copyHeredocs(instruction);
  for (const [path, content] of files) found.files.set(path, content);
  return instructions;
}

function withMount(instruction: Instruction, { mount }: Given): Instruction {
  if (instruction.name !== 'RUN' || mount === undefined) return instruction;
  return { ...instruction, flags: [...instruction.flags, `--mount=${mount}`] };
}

function checkDirectives(directives: ReadonlyMap<string, string>): void {
  const syntax = directives.get('syntax');
  // The usual front end is what is built here anyway; any other is a program from somewhere.
  if (syntax !== undefined && !/^docker(\.io\/docker)?\/dockerfile(:[\w.-]+)?$/.test(syntax))
    throw bad(
      1,
      `#syntax=${quoteForPeople(syntax)} names a program that would read it, which is not run. Remove it`,
    );
}

function check(instruction: Instruction, defaults: ReadonlyMap<string, string>, found: Found): Instruction {
  const { name, rest } = instruction;
  if (name === 'FROM') return checkFrom(instruction, defaults, found);
  if (name === 'RUN') return checkRun(instruction, found);
  if (name === 'COPY' || name === 'ADD') return checkCopy(instruction, found);
  if (name === 'CMD' || name === 'ENTRYPOINT') return inShell(instruction, found);
  if (name === 'ONBUILD') {
    const bodies = instruction.heredocs.map(({ raw, name: end }) => `${raw}${end}\n`);
    const [later] = parseDockerfile([rest, ...bodies].join('\n')).instructions;
    if (!later || later.name === 'ONBUILD')
      throw bad(instruction.line, 'has ONBUILD without an instruction behind it');
    check(later, defaults, found);
    found.warnings.add('ONBUILD is ignored: no other image is built from this one.');
    return { ...instruction, name: '#', flags: [], heredocs: [] };
  }
  return instruction;
}

/** The image builder knows SHELL for RUN alone. */
function inShell(instruction: Instruction, { stage: { shell } }: Found): Instruction {
  const { rest } = instruction;
  if (shell === undefined || wordsOf(rest)) return instruction;
  return { ...instruction, rest: JSON.stringify([...shell, rest]) };
}

/** The words of the exec form; undefined for any other. */
function wordsOf(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(word => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function checkFrom(
  { flags, rest, line, name }: Instruction,
  defaults: ReadonlyMap<string, string>,
  found: Found,
): Instruction {
  const [image = '', as, stage] = rest.split(/\s+/);
  const wanted = expand(image, defaults, line);
  const full = imageName(wanted, line, found);
  const { shell } = found.stages.get(wanted.toLowerCase()) ?? {};
  found.stage = { number: found.stage.number + 1, shell };
  found.stages.set(String(found.stage.number), found.stage);
  if (as?.toUpperCase() === 'AS' && stage !== undefined) found.stages.set(stage.toLowerCase(), found.stage);
  const platform = flags.filter(flag => flag !== '--platform=$BUILDPLATFORM');
  if (platform.some(flag => !/^--platform=(linux\/)?[\w/]+$/.test(flag)))
    throw bad(line, `FROM ${quoteForPeople(flags.join(' '))} is not supported. Remove it`);
  return { name, flags: platform, rest: [full, as, stage].filter(Boolean).join(' '), line, heredocs: [] };
}

/** A stage, or what the image builder finds under a name of ours. */
function imageName(image: string, line: number, found: Found): string {
  if (image === 'scratch' || found.stages.has(image.toLowerCase())) return image;
  const base = readBaseName(image, line);
  if (!found.bases.has(base.local)) found.bases.set(base.local, base);
  return base.local;
}

/** `$NAME`, `${NAME}` and `${NAME:-default}` of the ARGs in front of the first FROM. */
function expand(image: string, defaults: ReadonlyMap<string, string>, line: number): string {
  return image.replace(/\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g, (_, plain, braced, fallback) => {
    const value = defaults.get(plain ?? braced) ?? fallback;
    if (value === undefined)
      throw bad(line, `ARG ${plain ?? braced} has no value. Give it one in front of the first FROM`);
    return value;
  });
}

function addDefault(defaults: Map<string, string>, rest: string, given: Given['args'] = {}): void {
  const [, name = '', value] = /^(\w+)(?:=(.*))?$/.exec(rest) ?? [];
  const wanted = Object.hasOwn(given, name) ? given[name] : undefined;
  if (wanted !== undefined) defaults.set(name, wanted);
  else if (value !== undefined) defaults.set(name, value.replace(/^(["'])(.*)\1$/, '$2'));
}

function checkRun(instruction: Instruction, found: Found): Instruction {
  const { line } = instruction;
  const flags = instruction.flags.filter(flag => {
    const [option = '', value = ''] = split(flag);
    if (option === '--mount' && /^(?:.*,)?type=cache(?:,.*)?$/.test(value)) {
      found.warnings.add('RUN --mount=type=cache is ignored: such steps run without their cache.');
      return false;
    }
    if (option === '--mount')
      throw bad(line, `RUN --mount=${quoteForPeople(value)} is refused: a build mounts nothing. Use COPY`);
    if (option === '--network' && value === 'default') return false;
    if (option === '--network')
      throw bad(
        line,
        `RUN --network=${quoteForPeople(value)} is refused: builds have a network of their own. Remove it`,
      );
    if (option === '--security' && value === 'sandbox') return false;
    throw bad(line, `RUN ${quoteForPeople(flag)} is refused. Remove it`);
  });
  return { ...instruction, flags };
}

function checkCopy(instruction: Instruction, found: Found): Instruction {
  const { line, name, rest } = instruction;
  const flags = instruction.flags.flatMap(flag => {
    const [option = '', value = ''] = split(flag);
    if (option === '--link') return [];
    if (['--chown', '--chmod'].includes(option)) return [flag];
    if (option !== '--from' || name === 'ADD')
      throw bad(line, `${name} ${quoteForPeople(flag)} is not supported. Remove it`);
    if (instruction.heredocs.length > 0)
      throw bad(line, 'COPY takes --from or a here-document, not both. Write two lines');
    return [`--from=${imageName(value, line, found)}`];
  });
  if (name === 'ADD') for (const word of rest.split(/[\s",]+|^\[|\]$/)) checkAdded(word, line);
  return { ...instruction, flags };
}

/** The network that builds have keeps them out as well; this says why. */
function checkAdded(word: string, line: number): void {
  if (/^git@|^git:|^ssh:/i.test(word))
    throw bad(line, `ADD ${quoteForPeople(word)}: repositories are not fetched. Add an archive of it`);
  if (!/^[a-z]+:\/\//i.test(word)) return;
  const host = URL.canParse(word) ? new URL(word).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  if (!/^https?:/i.test(word) || host === '' || host.includes('$') || /%24|[{}]/i.test(host))
    throw bad(line, `ADD ${quoteForPeople(word)} is no URL that can be fetched. Write it out, with https`);
  const isAddress = /^[\d.]+$|:/.test(host);
  if ((isAddress && !isPublic(host)) || /(^|\.)(localhost|internal|local)$/i.test(host))
    throw bad(
      line,
      `ADD ${quoteForPeople(word)} leads to an address inside this network, so it is not fetched`,
    );
}

function split(flag: string): readonly [string, string] {
  const at = flag.indexOf('=');
  return at < 0 ? [flag, ''] : [flag.slice(0, at), flag.slice(at + 1)];
}

function render({ name, flags, rest, line }: Instruction): string {
  const text = [name, ...flags, rest].filter(Boolean).join(' ');
  if (Buffer.byteLength(text) > longestLine)
    throw bad(
      line,
      `${name} is longer than ${Math.floor(longestLine / 1000)} kB. Put its content into a file`,
    );
  return text;
}

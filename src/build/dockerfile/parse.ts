import { bad } from './bad.ts';
import { type Heredoc, readHeredocs } from './heredoc.ts';

/** One instruction of a Dockerfile, its continuation lines joined. */
export type Instruction = {
  /** In capitals: `RUN`. */
  readonly name: string;
  /** `--name=value` words in front of the rest. */
  readonly flags: readonly string[];
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** Where it begins, from 1. */
  readonly line: number;
};

export type Dockerfile = {
  /** `# name=value` lines at the very top, names in small letters. */
  readonly directives: ReadonlyMap<string, string>;
  readonly instructions: readonly Instruction[];
};

const mostInstructions = 1000;
/** Instructions with here-documents. */
const mayHold = /^\s*(ONBUILD\s+)?(RUN|COPY|ADD)\s/i;

/** Reads what a Dockerfile says, no more of its grammar than the scan needs. @throws build-failed naming the line */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const directives = readDirectives(lines);
  const mark = directives.get('escape') === '`' ? '`' : '\\';
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (isBlank(lines[at])) continue;
    const first = at + 1;
    let logical = '';
    for (; at < lines.length; at += 1) {
      const line = lines[at] ?? '';
      if (logical !== '' && isBlank(line)) continue;
      const open = line.trimEnd().endsWith(mark);
      logical += open ? `${line.trimEnd().slice(0, -1)} ` : line;
      if (!open) break;
    }
    const instruction = readInstruction(logical.trim(), first);
    const read = mayHold.test(logical) ? readHeredocs(instruction.rest, lines, at + 1, first) : undefined;
    if (read && read.heredocs.length > 0) at = read.at - 1;
    instructions.push({ ...instruction, heredocs: read?.heredocs ?? [] });
    if (instructions.length > mostInstructions)
      throw bad(first, `is one more than the ${mostInstructions} instructions that are allowed`);
  }
  return { directives, instructions };
}

function readDirectives(lines: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    const directive = /^#\s*([A-Za-z]+)\s*=\s*(.+?)\s*$/.exec(line);
    if (!directive) break;
    found.set((directive[1] ?? '').toLowerCase(), directive[2] ?? '');
  }
  return found;
}

function readInstruction(text: string, line: number): Omit<Instruction, 'heredocs'> {
  const [, name = '', tail = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  if (!/^[A-Za-z]+$/.test(name)) throw bad(line, 'begins with no instruction');
  const flags: string[] = [];
  let rest = tail;
  for (let flag = /^--\S*/.exec(rest); flag; flag = /^--\S*/.exec(rest)) {
    flags.push(flag[0]);
    rest = rest.slice(flag[0].length).trimStart();
  }
  return { name: name.toUpperCase(), flags, rest, line };
}

function isBlank(line = ''): boolean {
  return /^\s*(#|$)/.test(line);
}

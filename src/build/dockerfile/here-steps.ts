import { createHash } from 'node:crypto';
import { quoteForPeople } from '../../domain/names.ts';
import { bad } from './bad.ts';
import type { Instruction } from './parse.ts';

// Here-documents are taken out before the image builder sees the file: Debian's cannot read them.

/** Name of the build context that holds their content as files. */
export const hereContext = 'wherry-here';

/** Folder in it of what is run; no hash is called so. */
export const scripts = 'run';

/** Where a script with an interpreter of its own is mounted while it runs; no image keeps it. */
const script = '/etc/wherry-run';

type Written = {
  readonly instruction: Instruction;
  readonly file?: readonly [path: string, content: string];
};

/**
 * `RUN <<EOF`: what follows is a script; it is run by its interpreter where it names one. In any other RUN the here-document is
 * the shell's own, so the shell gets all of it.
 */
export function runHeredoc(instruction: Instruction, shell: readonly string[] = ['/bin/sh', '-c']): Written {
  const { rest, heredocs } = instruction;
  const [only] = heredocs;
  const isScript = heredocs.length === 1 && only?.word === rest;
  if (isScript && only.content.startsWith('#!')) {
    const path = `${scripts}/${hashOf(only.content)}`;
    const mount = `--mount=type=bind,from=${hereContext},source=${path},target=${script}`;
    const flags = [...instruction.flags, mount];
    return {
      instruction: { ...instruction, flags, rest: JSON.stringify([script]) },
      file: [path, only.content],
    };
  }
  const bodies = heredocs.map(({ raw, name }) => `${raw}${name}\n`);
  const text = isScript ? only.content : `${rest}\n${bodies.join('')}`;
  return { instruction: { ...instruction, rest: JSON.stringify([...shell, text]) } };
}

/** `COPY <<name /to`: a file of that name with that content. @throws build-failed for content that is to be filled in */
export function copyHeredocs(instruction: Instruction): {
  readonly instructions: readonly Instruction[];
  readonly files: readonly (readonly [path: string, content: string])[];
} {
  const { rest, heredocs, line, flags } = instruction;
  const words = rest.split(/\s+/);
  const to = words.at(-1) ?? '';
  const others = words.slice(0, -1).filter(word => !heredocs.some(each => each.word === word));
  const files = heredocs.map(({ name, content, expands, word }) => {
    if (expands && content.includes('$'))
      throw bad(
        line,
        `the content behind ${quoteForPeople(word)} has a "$", which is not filled in here. Write <<'${name}', or RUN cat ${word} > file`,
      );
    return [pathOf(name, content), content] as const;
  });
  const from = files.map(([path]) => path);
  const own: Instruction = {
    ...instruction,
    name: 'COPY',
    flags: [...flags, `--from=${hereContext}`],
    rest: [...from, to].join(' '),
  };
  const rests = others.length === 0 ? [] : [{ ...instruction, rest: [...others, to].join(' ') }];
  return { instructions: [own, ...rests], files };
}

/** Another content is another path, so that no step is taken from the cache that was made with the former. */
function pathOf(name: string, content: string): string {
  return `${hashOf(content)}/${name}`;
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

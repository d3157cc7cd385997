import { quoteForPeople } from '../../domain/names.ts';
import { bad } from './bad.ts';

/** `<<EOF` and what follows. */
export type Heredoc = {
  /** As it is written: `<<-"EOF"`. */
  readonly word: string;
  readonly name: string;
  /** Whether variables in it are filled in: its name is not in quotes. */
  readonly expands: boolean;
  /** Whether tabs in front of its lines are dropped. */
  readonly tabs: boolean;
  /** Its lines as they are, and without those tabs. */
  readonly raw: string;
  readonly content: string;
};

/** The words of an instruction that begin a here-document, as `<<EOF`, `<<-EOF` or `3<<'EOF'`. */
export function heredocsIn(rest: string): readonly Omit<Heredoc, 'raw' | 'content'>[] {
  const words = rest.match(/(?:\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|[^\s\\'"])+/g) ?? [];
  return words.flatMap(word => {
    const [, dash, quote, name = ''] = /^\d*<<(-?)(["']?)([A-Za-z_][\w.-]*)\2$/.exec(word) ?? [];
    return name === '' ? [] : [{ word, name, expands: quote === '', tabs: dash === '-' }];
  });
}

/** What lies between the marker and its end; `at` is moved behind it. @throws build-failed when it does not end */
export function readHeredocs(
  rest: string,
  lines: readonly string[],
  at: number,
  line: number,
): { readonly heredocs: readonly Heredoc[]; readonly at: number } {
  let next = at;
  const heredocs = heredocsIn(rest).map(begun => {
    const body: string[] = [];
    const clean = (text: string) => (begun.tabs ? text.replace(/^\t+/, '') : text);
    for (; clean(lines[next] ?? '') !== begun.name; next += 1) {
      const text = lines[next];
      if (text === undefined)
        throw bad(line, `${quoteForPeople(begun.word)} has no end: a line "${begun.name}"`);
      body.push(text);
    }
    next += 1;
    const whole = (texts: readonly string[]) => texts.map(text => `${text}\n`).join('');
    return { ...begun, raw: whole(body), content: whole(body.map(clean)) };
  });
  return { heredocs, at: next };
}

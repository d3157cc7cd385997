// JSON with comments and trailing commas, as people write in app.json: comments and such commas become blanks, so that the
// positions JSON.parse complains about stay true.

/** @throws SyntaxError whose message ends in `at line L, column C` */
export function parseJsonc(text: string): unknown {
  const plain = blank(text.replace(/^\uFEFF/, ''));
  try {
    return JSON.parse(plain);
  } catch (error) {
    throw new SyntaxError(describe(error as SyntaxError, plain), { cause: error });
  }
}

function blank(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const comment = token.startsWith('//') || token.startsWith('/*');
    out += comment ? token.replace(/[^\n]/g, ' ') : token;
    at += token.length;
  }
  return dropTrailingCommas(out);
}

const string = /"(?:[^"\\\n]|\\.)*"?/y;
const lineComment = /\/\/[^\n]*/y;
const blockComment = /\/\*[\s\S]*?(?:\*\/|$)/y;

function tokenAt(text: string, at: number): string {
  for (const pattern of [string, lineComment, blockComment]) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match && match[0] !== '') return match[0];
  }
  return text[at] ?? '';
}

/** A comma before `}` or `]` outside strings; comments are blanks by now. */
function dropTrailingCommas(text: string): string {
  return text.replace(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/g, (_match, kept?: string) => kept ?? ' ');
}

function describe(error: SyntaxError, text: string): string {
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
  const before = text.slice(0, position).split('\n');
  const what = error.message
    .replace(/,? ?(in JSON )?at position.*$/s, '')
    .replace(/"[^"]*"\.\.\. is not/, 'this is not');
  return `${what} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

// JSON with comments and trailing commas, as people write in app.json (RFC 8259 otherwise). A parser of its own, because
// JSON.parse does not say where it failed.

const deepest = 100;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const string = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const blank = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const words = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const word = /[a-z]+/y;

type Reader = {
  readonly text: string;
  at: number;
  /** Comments and trailing commas are fine. */
  readonly lenient: boolean;
};

/** @throws SyntaxError whose message ends in `at line L, column C` */
export function parseJsonc(text: string): unknown {
  return parse({ text: text.replace(/^\uFEFF/, ''), at: 0, lenient: true });
}

/** The same for plain JSON, as in package.json. */
export function parseJson(text: string): unknown {
  return parse({ text: text.replace(/^\uFEFF/, ''), at: 0, lenient: false });
}

function parse(reader: Reader): unknown {
  const value = readValue(reader, 0);
  skipBlank(reader);
  if (reader.at < reader.text.length) throw fault(reader, 'There is more after the end');
  return value;
}

function readValue(reader: Reader, depth: number): unknown {
  skipBlank(reader);
  if (depth > deepest) throw fault(reader, 'It is nested too deeply');
  const next = reader.text[reader.at];
  if (next === '{') return readObject(reader, depth);
  if (next === '[') return readList(reader, depth);
  if (next === '"') return readString(reader);
  const start = reader.at;
  const digits = take(reader, number);
  if (digits !== '') return Number(digits);
  const name = take(reader, word);
  if (words.has(name)) return words.get(name);
  reader.at = start;
  throw fault(reader, 'A value is missing');
}

function readObject(reader: Reader, depth: number): unknown {
  const fields: [string, unknown][] = [];
  readItems(reader, '}', () => {
    const key = readString(reader);
    skipBlank(reader);
    if (reader.text[reader.at] !== ':') throw fault(reader, 'A colon is missing');
    reader.at += 1;
    fields.push([key, readValue(reader, depth + 1)]);
  });
  return Object.fromEntries(fields);
}

function readList(reader: Reader, depth: number): unknown {
  const items: unknown[] = [];
  readItems(reader, ']', () => items.push(readValue(reader, depth + 1)));
  return items;
}

/** From the opening bracket to after the closing one. */
function readItems(reader: Reader, close: string, readItem: () => void): void {
  const nextIs = (char: string) => {
    skipBlank(reader);
    if (reader.text[reader.at] !== char) return false;
    reader.at += 1;
    return true;
  };
  reader.at += 1;
  if (nextIs(close)) return;
  for (;;) {
    readItem();
    const comma = nextIs(',');
    if ((!comma || reader.lenient) && nextIs(close)) return;
    if (!comma) throw fault(reader, `A comma or "${close}" is missing`);
  }
}

function readString(reader: Reader): string {
  skipBlank(reader);
  const quoted = take(reader, string);
  if (quoted === '') throw fault(reader, 'A string in double quotes is missing or not ended');
  return JSON.parse(quoted) as string;
}

function skipBlank(reader: Reader): void {
  const skipped = take(reader, blank);
  if (!reader.lenient && skipped.includes('/')) throw fault(reader, 'Comments are not allowed');
}

function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0] ?? '';
  reader.at += found.length;
  return found;
}

function fault({ text, at }: Reader, what: string): SyntaxError {
  const before = text.slice(0, at).split('\n');
  return new SyntaxError(`${what} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`);
}

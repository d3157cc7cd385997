// Reads the head of an app's answer and leaves out at once what ends at this hop.

export type BodyKind = 'none' | 'length' | 'chunked' | 'until-close';

export type ResponseHead = {
  readonly status: number;
  readonly message: string;
  /** Name, value, name, value: what the client gets, in the app's order and with its duplicates. */
  readonly headers: string[];
  readonly body: BodyKind;
  /** Bytes, when `body` is `length`. */
  readonly length: number;
  /** Whether the connection can take another request. */
  readonly keepAlive: boolean;
  /** Seconds the app says it keeps an idle connection. */
  readonly idleHint: number | undefined;
  readonly upgrade: string | undefined;
  /** Names of the trailers to come; only to be passed on with a chunked body. */
  readonly trailer: string | undefined;
};

/** The app does not speak HTTP/1.1 as it must; `message` is for the log. */
export class ProtocolError extends Error {}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/;
const illegal = /[^\t\x20-\x7e\x80-\xff]/;
const token = /^[\w!#$%&'*+.^`|~-]+$/;

type Facts = {
  headers: string[];
  length: string | undefined;
  encoding: string | undefined;
  connection: string;
  idleHint: number | undefined;
  upgrade: string | undefined;
  trailer: string | undefined;
};

/** @param text the head without its last empty line, as latin1 @throws ProtocolError */
export function readResponseHead(text: string, method: string): ResponseHead {
  const lines = text.split('\r\n');
  const first = statusLine.exec(lines[0] ?? '');
  if (!first || illegal.test(lines[0] ?? '')) throw new ProtocolError('no HTTP/1.1 status line');
  const status = Number(first[2]);
  const facts = scan(lines);
  const connection = facts.connection.toLowerCase();
  if (connection !== '' && !usual.test(connection)) dropNamed(facts, connection);
  const { body, length } = bodyOf(facts, { status, method });
  const persistent = first[1] === '1' ? !closes.test(connection) : keeps.test(connection);
  return {
    status,
    message: first[3] ?? '',
    headers: facts.headers,
    body,
    length,
    keepAlive:
      persistent && body !== 'until-close' && !(facts.length !== undefined && facts.encoding !== undefined),
    idleHint: facts.idleHint,
    upgrade: facts.upgrade,
    trailer: body === 'chunked' ? facts.trailer : undefined,
  };
}

const usual = /^(?:keep-alive|close|upgrade)$/;
const closes = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/;
const keeps = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/;

type Note = 'length' | 'encoding' | 'connection' | 'keep-alive' | 'upgrade' | 'trailer' | 'drop';
const notes: ReadonlyMap<string, Note> = new Map<string, Note>([
  ['content-length', 'length'],
  ['transfer-encoding', 'encoding'],
  ['connection', 'connection'],
  ['keep-alive', 'keep-alive'],
  ['upgrade', 'upgrade'],
  ['trailer', 'trailer'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['te', 'drop'],
  // Says why the edge itself answered: an app cannot speak for it.
  ['x-wherry-reason', 'drop'],
]);

function scan(lines: readonly string[]): Facts {
  const facts: Facts = {
    headers: [],
    length: undefined,
    encoding: undefined,
    connection: '',
    idleHint: undefined,
    upgrade: undefined,
    trailer: undefined,
  };
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (illegal.test(line)) throw new ProtocolError('a header has a control byte');
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    // Covers folded lines and spaces before the colon: neither is passed on, and no app needs them.
    if (colon < 1 || !token.test(name)) throw new ProtocolError('a header line has no valid name');
    const value = trimmed(line, colon + 1);
    const note = notes.get(name.toLowerCase());
    if (note === undefined) facts.headers.push(name, value);
    else take(facts, note, value);
  }
  return facts;
}

function take(facts: Facts, note: Note, value: string): void {
  if (note === 'length') {
    if (facts.length !== undefined && facts.length !== value) throw new ProtocolError('two lengths');
    facts.length = value;
  } else if (note === 'trailer')
    facts.trailer = facts.trailer === undefined ? value : `${facts.trailer}, ${value}`;
  else if (note === 'encoding')
    facts.encoding = facts.encoding === undefined ? value : `${facts.encoding},${value}`;
  else if (note === 'connection')
    facts.connection = facts.connection === '' ? value : `${facts.connection},${value}`;
  else if (note === 'upgrade') facts.upgrade = value;
  else if (note === 'keep-alive') {
    const seconds = /timeout=([0-9]{1,6})/i.exec(value)?.[1];
    if (seconds !== undefined) facts.idleHint = Number(seconds);
  }
}

function bodyOf(
  facts: Facts,
  request: { status: number; method: string },
): { body: BodyKind; length: number } {
  const { encoding, length } = facts;
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    throw new ProtocolError(`transfer encoding "${encoding}"`);
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    throw new ProtocolError('a length that is no number');
  const { status } = request;
  const never = status < 200 || status === 204;
  if (length !== undefined && encoding === undefined && !never) facts.headers.push('Content-Length', length);
  if (never || status === 304 || request.method === 'HEAD') return { body: 'none', length: 0 };
  if (encoding !== undefined) return { body: 'chunked', length: 0 };
  return length === undefined
    ? { body: 'until-close', length: 0 }
    : { body: 'length', length: Number(length) };
}

function dropNamed(facts: Facts, connection: string): void {
  const named = new Set(connection.split(',').map(word => word.trim()));
  const kept: string[] = [];
  for (let i = 0; i + 1 < facts.headers.length; i += 2) {
    const name = facts.headers[i] as string;
    if (!named.has(name.toLowerCase())) kept.push(name, facts.headers[i + 1] as string);
  }
  facts.headers = kept;
}

/** Without spaces and tabs at both ends; `String.trim` would take bytes of UTF-8 text too. */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Trailer lines as name, value pairs, without those that could change framing or routing. */
export function readTrailers(text: string): string[] {
  const { headers } = text === '' ? { headers: [] } : scan(['', ...text.split('\r\n')]);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!forbiddenTrailer.test(name)) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

const forbiddenTrailer =
  /^(?:host|trailer|set-cookie|authorization|www-authenticate|content-(?:type|encoding|range)|cache-control|expires|date|location|age|vary|retry-after)$/i;

// Sorts a request's headers: those that are the app's go through as they are, those of this hop are read and left out.

type Action =
  | 'drop'
  | 'host'
  | 'length'
  | 'encoding'
  | 'connection'
  | 'te'
  | 'upgrade'
  | 'request-id'
  | 'forwarding';

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['host', 'host'],
  ['content-length', 'length'],
  ['transfer-encoding', 'encoding'],
  ['connection', 'connection'],
  ['te', 'te'],
  ['upgrade', 'upgrade'],
  ['x-request-id', 'request-id'],
  ['x-forwarded-for', 'forwarding'],
  ['x-forwarded-proto', 'forwarding'],
  ['x-forwarded-host', 'forwarding'],
  ['x-forwarded-port', 'forwarding'],
  ['x-real-ip', 'forwarding'],
  ['forwarded', 'forwarding'],
  ['x-request-start', 'forwarding'],
  ['expect', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['proxy', 'drop'],
  ['http2-settings', 'drop'],
]);

const saneId = /^[\w.:+/=-]{8,128}$/;
const plainConnection = /^(?:keep-alive|close|upgrade)$/i;

/** What one pass over the headers found. */
export type Scan = {
  /** Lines for the app, each with its CRLF. */
  lines: string;
  host: string;
  hosts: number;
  length: string | undefined;
  lengths: number;
  encoding: string | undefined;
  connection: string;
  upgrade: string | undefined;
  requestId: string | undefined;
  te: boolean;
  /** What a trusted proxy says of the visitor, by lower-case name; undefined for every other peer. */
  told: Map<string, string> | undefined;
};

export type ScanOptions = {
  /** Headers that end here too, because Connection named them. */
  readonly named?: ReadonlySet<string> | undefined;
  /** The peer is a proxy that may speak for the visitor. */
  readonly trusted: boolean;
};

export function scanHeaders(raw: readonly string[], { named, trusted }: ScanOptions): Scan {
  const scan: Scan = {
    lines: '',
    host: '',
    hosts: 0,
    length: undefined,
    lengths: 0,
    encoding: undefined,
    connection: '',
    upgrade: undefined,
    requestId: undefined,
    te: false,
    told: trusted ? new Map() : undefined,
  };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const lower = name.toLowerCase();
    const action = actions.get(lower);
    if (action !== undefined) note(scan, action, raw[i + 1] as string, name);
    else if (!isForged(lower, trusted) && !named?.has(lower)) scan.lines += `${name}: ${raw[i + 1]}\r\n`;
  }
  return scan;
}

function note(scan: Scan, action: Action, value: string, name: string): void {
  switch (action) {
    case 'host':
      scan.hosts++;
      scan.host = value;
      scan.lines += `${name}: ${value}\r\n`;
      return;
    case 'length':
      scan.lengths++;
      scan.length = value;
      return;
    case 'encoding':
      scan.encoding = scan.encoding === undefined ? value : `${scan.encoding},${value}`;
      return;
    case 'connection':
      scan.connection = scan.connection === '' ? value : `${scan.connection},${value}`;
      return;
    case 'te':
      scan.te ||= /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value);
      return;
    case 'upgrade':
      scan.upgrade = scan.upgrade === undefined ? value : `${scan.upgrade},${value}`;
      return;
    case 'request-id':
      if (saneId.test(value)) scan.requestId ??= value;
      return;
    case 'forwarding':
      if (scan.told) hear(scan.told, name.toLowerCase(), value);
      return;
    default:
      return;
  }
}

function hear(told: Map<string, string>, name: string, value: string): void {
  const before = told.get(name);
  told.set(name, before === undefined ? value : `${before}, ${value}`);
}

/** Forwarding headers we do not set, and spellings that CGI-like servers read as one of ours (`X_Forwarded_For`). */
function isForged(lower: string, trusted: boolean): boolean {
  if (lower.startsWith('x-forwarded-')) return !trusted;
  if (!lower.includes('_')) return false;
  const dashed = lower.replaceAll('_', '-');
  return actions.has(dashed) || dashed.startsWith('x-forwarded-');
}

/** Headers that Connection names beside its usual words. */
export function namedHops(connection: string): ReadonlySet<string> | undefined {
  if (connection === '' || plainConnection.test(connection)) return undefined;
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map(word => word.trim()),
  );
}

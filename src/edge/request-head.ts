// One pass over a request's raw headers: what routing needs to know, and the lines that go to the app, in their order
// and with their duplicates. Strip first, add ours after: a client cannot name our headers in Connection to lose them.
import { namedHops, type Scan, scanHeaders } from './header-scan.ts';
import { type Host, parseHost } from './host.ts';
import type { Inbound } from './protocols.ts';
import type { Visitor } from './visitors.ts';

export type Framing =
  | { readonly kind: 'none' | 'chunked' }
  | { readonly kind: 'length'; readonly bytes: number };

export type RequestHead = {
  readonly method: string;
  /** Origin form, byte for byte as it came. */
  readonly target: string;
  readonly host: Host;
  /** As the client wrote it, with its port. */
  readonly authority: string;
  /** Header lines for the app, each with its CRLF, without framing and forwarding headers. */
  readonly lines: string;
  readonly framing: Framing;
  readonly requestId: string | undefined;
  /** The token of an upgrade that is passed on; undefined for every other request. */
  readonly upgrade: 'websocket' | undefined;
  readonly acceptsTrailers: boolean;
  /** What a trusted proxy says of the visitor, by lower-case name. */
  readonly told: ReadonlyMap<string, string> | undefined;
};

export type Refusal = {
  readonly status: 400 | 414 | 431 | 501 | 505;
  readonly reason: string;
  readonly text: string;
};

const maxHeaders = 100;
const maxTarget = 8192;

export const targetTooLong = refuse(
  414,
  'target-too-long',
  'The address of the request is longer than 8 KiB.',
);

/** Reads a request's head, or says why it is refused. @param trusted the peer may speak for the visitor */
export function readRequestHead(req: Inbound, trusted = false): RequestHead | Refusal {
  const raw = req.rawHeaders;
  if (raw.length > 2 * maxHeaders)
    return refuse(431, 'too-many-headers', 'The request has more than 100 headers.');
  const url = req.url ?? '';
  if (url.length > maxTarget) return targetTooLong;
  // Node reads HTTP/0.9 and HTTP/2.0 as version numbers like others.
  if (req.httpVersionMajor !== 1)
    return refuse(505, 'bad-version', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.');
  const scan = scanHeaders(raw, { trusted });
  const named = namedHops(scan.connection);
  const lines = named ? scanHeaders(raw, { named, trusted }).lines : scan.lines;

  if (scan.hosts !== 1)
    return refuse(
      400,
      'bad-host',
      `The request has ${scan.hosts === 0 ? 'no' : 'more than one'} Host header.`,
    );
  const target = originForm(url, req.method ?? 'GET');
  const authority = target?.authority ?? scan.host;
  const host = parseHost(authority);
  if (!target) return refuse(400, 'bad-target', 'The address of the request is not valid.');
  if (host === undefined) return refuse(400, 'bad-host', 'The Host header is not a valid host name.');
  const framing = framingOf(scan, req.httpVersionMinor);
  if ('status' in framing) return framing;
  return {
    method: req.method ?? 'GET',
    target: target.path,
    host,
    authority,
    lines: target.authority === undefined ? lines : `Host: ${authority}\r\n${withoutHost(lines)}`,
    framing,
    requestId: scan.requestId,
    upgrade: upgradeOf(req, scan, framing),
    acceptsTrailers: scan.te,
    told: scan.told,
  };
}

export function hasBody({ framing }: RequestHead): boolean {
  return framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > 0);
}

export type Forwarding = {
  readonly visitor: Visitor;
  readonly requestId: string;
  /** Unix milliseconds at which the edge had the request's head. */
  readonly startedAt: number;
};

/** The whole head that the app gets. */
export function renderRequestHead(head: RequestHead, forwarding: Forwarding): string {
  const { visitor, requestId, startedAt } = forwarding;
  const { peer, scheme, port } = visitor;
  const lines = head.told
    ? relayedLines(head.told, head.authority, forwarding)
    : `X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: ${head.authority}\r\n` +
      `X-Forwarded-Port: ${port}\r\nX-Request-Start: ${startedAt}\r\n`;
  return (
    `${head.method} ${head.target} HTTP/1.1\r\n${head.lines}${lines}` +
    `X-Request-ID: ${requestId}\r\n${framingLines(head)}\r\n`
  );
}

/** A trusted proxy's word, where it gave one, with its own address added; ours for the rest. */
function relayedLines(
  told: ReadonlyMap<string, string>,
  host: string,
  { visitor, startedAt }: Forwarding,
): string {
  const { peer, scheme, port } = visitor;
  const chain = told.get('x-forwarded-for');
  const usualPort = scheme === 'https' ? 443 : 80;
  const ourPort = told.has('x-forwarded-proto') ? usualPort : port;
  let lines =
    `X-Forwarded-For: ${chain === undefined ? peer : `${chain}, ${peer}`}\r\n` +
    `X-Forwarded-Proto: ${told.get('x-forwarded-proto') ?? scheme}\r\n` +
    `X-Forwarded-Host: ${told.get('x-forwarded-host') ?? host}\r\n` +
    `X-Forwarded-Port: ${told.get('x-forwarded-port') ?? ourPort}\r\n` +
    `X-Request-Start: ${told.get('x-request-start') ?? startedAt}\r\n`;
  const realIp = told.get('x-real-ip');
  if (realIp !== undefined) lines += `X-Real-IP: ${realIp}\r\n`;
  const forwarded = told.get('forwarded');
  if (forwarded !== undefined) lines += `Forwarded: ${forwarded}\r\n`;
  return lines;
}

function framingLines(head: RequestHead): string {
  if (head.upgrade) return `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  const te = head.acceptsTrailers ? 'TE: trailers\r\nConnection: TE\r\n' : '';
  if (head.framing.kind === 'chunked') return `${te}Transfer-Encoding: chunked\r\n`;
  return head.framing.kind === 'length' ? `${te}Content-Length: ${head.framing.bytes}\r\n` : te;
}

function framingOf(scan: Scan, minor: number): Framing | Refusal {
  if (scan.encoding !== undefined) {
    if (scan.length !== undefined || minor === 0)
      return refuse(400, 'bad-framing', 'The length of the request body is given in two ways.');
    if (scan.encoding.toLowerCase() !== 'chunked')
      return refuse(501, 'bad-framing', 'Only the transfer encoding "chunked" is understood.');
    return { kind: 'chunked' };
  }
  if (scan.length === undefined) return { kind: 'none' };
  if (scan.lengths > 1 || !/^[0-9]{1,15}$/.test(scan.length))
    return refuse(400, 'bad-framing', 'The Content-Length header is not one number.');
  return { kind: 'length', bytes: Number(scan.length) };
}

function upgradeOf(req: Inbound, scan: Scan, framing: Framing): 'websocket' | undefined {
  const asked =
    scan.upgrade?.toLowerCase() === 'websocket' && /(?:^|[, \t])upgrade(?:$|[, \t])/i.test(scan.connection);
  return asked && req.method === 'GET' && req.httpVersionMinor === 1 && framing.kind === 'none'
    ? 'websocket'
    : undefined;
}

/** Splits an absolute-form target; undefined when it is neither `/path`, `http://host/path` nor `*` of OPTIONS. */
function originForm(url: string, method: string): { path: string; authority?: string } | undefined {
  if (url.startsWith('/')) return { path: url };
  if (url === '*') return method === 'OPTIONS' ? { path: url } : undefined;
  const match = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url);
  if (!match) return undefined;
  const rest = match[2] ?? '';
  return { authority: match[1] ?? '', path: rest.startsWith('/') ? rest : `/${rest}` };
}

function withoutHost(lines: string): string {
  return lines.replace(/(^|\r\n)host:[^\r]*\r\n/i, '$1');
}

function refuse(status: Refusal['status'], reason: string, text: string): Refusal {
  return { status, reason, text };
}

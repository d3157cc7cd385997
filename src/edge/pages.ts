import { STATUS_CODES } from 'node:http';
import type { Inbound, Outbound } from './protocols.ts';

/** An answer of the edge itself. */
export type Page = {
  readonly status: number;
  /** For machines, in `X-Wherry-Reason`: lower case words with dashes. */
  readonly reason: string;
  readonly title: string;
  /** Whose fault it is and what helps; plain text, escaped here. */
  readonly text: string;
  readonly hint?: string;
  /** In the place of the edge's own page, for clients that take HTML. */
  readonly html?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** Value of WWW-Authenticate. */
  readonly challenge?: string;
  /** Where to go instead. */
  readonly location?: string;
  /** Seconds after which a browser asks again by itself. */
  readonly refresh?: number;
};

/** Where the request ends, or whether more of it comes, is not known. */
const endsConnection = new Set([400, 408, 417, 501, 505]);

/** The whole answer as name, value pairs and body, for a client that prefers JSON or HTML. */
export function renderPage(page: Page, accept: string | undefined): { headers: string[]; body: string } {
  const json = accept !== undefined && /[/+]json\b/i.test(accept) && !/text\/html/i.test(accept);
  const body = json ? renderJson(page) : (page.html ?? renderHtml(page));
  return {
    headers: [
      ...['Content-Type', json ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8'],
      ...['Content-Length', String(Buffer.byteLength(body))],
      ...['Cache-Control', 'no-store', 'X-Wherry-Reason', page.reason],
      ...(page.challenge === undefined ? [] : ['WWW-Authenticate', page.challenge]),
      ...(page.location === undefined ? [] : ['Location', page.location]),
      ...(page.retryAfter === undefined ? [] : ['Retry-After', String(page.retryAfter)]),
    ],
    body,
  };
}

/** Answers with a page, or cuts the client off when an answer has begun already. */
export function sendPage(req: Inbound, res: Outbound, page: Page): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const { headers, body } = renderPage(page, req.headers.accept);
  if (endsConnection.has(page.status)) res.shouldKeepAlive = false;
  res.writeHead(page.status, STATUS_CODES[page.status] ?? page.title, headers);
  if (req.method === 'HEAD') res.end();
  else res.end(body);
}

/** For a socket on which no request could be read. */
export function rawPage(page: Page): string {
  const { headers, body } = renderPage(page, undefined);
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
  return `HTTP/1.1 ${page.status} ${page.title}\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`;
}

function renderJson(page: Page): string {
  const { reason, text, hint } = page;
  return `${JSON.stringify({ error: { code: reason, message: text, ...(hint === undefined ? {} : { hint }) } })}\n`;
}

function renderHtml(page: Page): string {
  const hint = page.hint === undefined ? '' : `<p><code>${escapeHtml(page.hint)}</code></p>`;
  const refresh = page.refresh === undefined ? '' : `<meta http-equiv="refresh" content="${page.refresh}">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">${refresh}<meta name="viewport" content="width=device-width">
<title>${page.status} ${escapeHtml(page.title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;color:#223}
h1{font-size:1.4rem}code{background:#eef;padding:.2em .4em;border-radius:.2em}small{color:#667}</style></head>
<body><h1>${escapeHtml(page.title)}</h1><p>${escapeHtml(page.text)}</p>${hint}<p><small>${page.status} ${escapeHtml(page.reason)}</small></p></body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`);
}

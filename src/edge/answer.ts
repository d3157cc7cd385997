import type { Inbound, Outbound } from './protocols.ts';
import type { ResponseHead } from './response-head.ts';
import type { Upstream } from './upstream.ts';

/** Bodies up to this many bytes are joined with their head into one write. */
const smallBody = 16_384;

/** An app's answer on its way to the client: never buffered, with back-pressure, framed as the client understands it. */
export class Answer {
  readonly #req: Inbound;
  readonly #res: Outbound;
  #unflushed = false;
  #holding = false;

  constructor(req: Inbound, res: Outbound) {
    this.#req = req;
    this.#res = res;
  }

  hints(head: ResponseHead): void {
    if (this.#req.httpVersionMinor !== 1 || this.#res.headersSent) return;
    const link = pairs(head.headers).flatMap(([name, value]) =>
      name.toLowerCase() === 'link' ? [value] : [],
    );
    try {
      if (link.length > 0) this.#res.writeEarlyHints({ link });
    } catch {
      // Node takes a narrower grammar of Link than servers send; a hint may be left out.
    }
  }

  /** Leaves the framing to Node, which knows whether the client takes chunks. */
  head(head: ResponseHead): void {
    if (head.trailer !== undefined && this.#req.httpVersionMinor === 1)
      head.headers.push('Trailer', head.trailer);
    if (head.body === 'none') this.#res.headOnly?.();
    this.#res.writeHead(head.status, head.message, head.headers);
    this.#unflushed = true;
  }

  data(piece: Buffer, last: boolean, source: Upstream | undefined): void {
    const res = this.#res;
    this.#unflushed = false;
    if (!last) {
      if (!res.write(piece)) this.#hold(source);
    } else if (piece.length <= smallBody) res.end(piece.toString('latin1'), 'latin1');
    else res.end(piece);
  }

  end(trailers: readonly string[]): void {
    const res = this.#res;
    this.#unflushed = false;
    if (res.writableEnded) return;
    if (trailers.length > 0 && res.chunkedEncoding) res.addTrailers(pairs(trailers));
    res.end();
  }

  /** Sends a head that has waited for the first bytes of its body. */
  flush(): void {
    if (!this.#unflushed) return;
    this.#unflushed = false;
    // Not flushHeaders: it would write the bytes of header values as UTF-8 once more.
    this.#res.write('', 'latin1');
  }

  /** Until the client has read what it was sent. */
  #hold(source: Upstream | undefined): void {
    source?.pause();
    if (this.#holding) return;
    this.#holding = true;
    this.#res.once('drain', () => {
      this.#holding = false;
      source?.resume();
    });
  }
}

/** The head of an upgrade that the app took, for the bare socket. */
export function switchingHead(head: ResponseHead): string {
  const lines = pairs(head.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 ${head.message}\r\n${lines.join('')}Upgrade: ${head.upgrade ?? 'websocket'}\r\nConnection: Upgrade\r\n\r\n`;
}

function pairs(flat: readonly string[]): [string, string][] {
  const made: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) made.push([flat[i] as string, flat[i + 1] as string]);
  return made;
}

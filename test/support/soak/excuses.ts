type Span = { readonly app: string | undefined; readonly from: number; until: number };

/** Times at which an app, or all of them, may break off what is open or answer late: somebody killed something on purpose. */
export class Excuses {
  readonly #spans: Span[] = [];

  /** From now until the returned function is called. */
  begin(app?: string): () => void {
    const span: Span = { app, from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.#spans.push(span);
    return () => {
      span.until = performance.now();
    };
  }

  /** Whether anything since then may be excused. */
  covers(app: string, since: number): boolean {
    return this.#spans.some(span => (span.app === undefined || span.app === app) && span.until >= since);
  }
}

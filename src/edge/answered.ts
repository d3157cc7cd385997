/** The methods that have a count of their own; all others share one, so that visitors cannot make up counts. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const;
const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** How many requests of a method got an answer of a class. */
export class Answered {
  readonly #counts = new Float64Array(methods.length * classes.length);

  add(method: string, status: number): void {
    const known = methods.indexOf(method as (typeof methods)[number]);
    const row = known < 0 ? methods.length - 1 : known;
    const column = Math.min(classes.length, Math.max(1, Math.floor(status / 100))) - 1;
    const at = row * classes.length + column;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Those that there were. */
  list(): { method: string; code: string; count: number }[] {
    return methods.flatMap((method, row) =>
      classes.flatMap((code, column) => {
        const count = this.#counts[row * classes.length + column] ?? 0;
        return count === 0 ? [] : [{ method, code, count }];
      }),
    );
  }
}

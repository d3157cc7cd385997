/**
 * Aborted after so many milliseconds; to be combined with others by AbortSignal.any. AbortSignal.timeout does not serve there:
 * its timer holds it weakly, so the garbage collector takes it, and whoever waits for the combination waits for ever (Node.js
 * issue 57736). Keeps no process alive.
 */
export function deadline(milliseconds: number): AbortSignal {
  const over = new AbortController();
  const late = () => over.abort(new DOMException('The time is over.', 'TimeoutError'));
  setTimeout(late, milliseconds).unref();
  return over.signal;
}

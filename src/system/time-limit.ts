/** Aborted with another signal or after some time, whichever is first. Whoever makes it ends it. */
export type TimeLimit = {
  readonly signal: AbortSignal;
  /** Whether the time was over first. */
  late(): boolean;
  end(): void;
};

/** Held by its timer, where the garbage collector takes an AbortSignal.timeout within AbortSignal.any that nobody else holds. */
export function timeLimit(milliseconds: number, parent: AbortSignal): TimeLimit {
  const own = new AbortController();
  const onAbort = () => own.abort(parent.reason);
  let late = false;
  const timer = setTimeout(() => {
    late = !own.signal.aborted;
    own.abort(new Error(`took longer than ${milliseconds} ms`));
  }, milliseconds);
  if (parent.aborted) onAbort();
  else parent.addEventListener('abort', onAbort, { once: true });
  return {
    signal: own.signal,
    late: () => late,
    end() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onAbort);
    },
  };
}

import { setImmediate } from 'node:timers/promises';

/**
 * Walking tens of thousands of files is three times faster with synchronous calls than with promises. A breather lets the
 * event loop in between: after `slice` milliseconds of work, `rest` gives way once.
 */
export function createBreather(slice = 8) {
  let since = performance.now();
  return async function breathe(): Promise<void> {
    if (performance.now() - since < slice) return;
    await setImmediate();
    since = performance.now();
  };
}

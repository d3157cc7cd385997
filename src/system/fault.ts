import type { Fault, FaultPoint } from '../domain/fault.ts';

// The one thing that is neither made in daemon.ts nor handed on: a point must be one line, in any place, or it is left out there.
let armed: Fault | undefined;

/** Tests only: from now on the fault happens where its point is passed, once. */
export function armFault(fault: Fault | undefined): void {
  armed = fault;
}

/** A place where tests may end, stop or break this process. Does nothing in one that was not started for that. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  if (armed?.point !== point) return;
  const { way } = armed;
  armed = undefined;
  switch (way) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'stop':
      process.kill(process.pid, 'SIGSTOP');
      return;
    case 'error':
      throw new Error(`the fault that was asked for at ${point}`);
  }
}

/** What stands between an app and the host's kernel: `gvisor` is a kernel of its own, in a process. */
export const isolations = ['runc', 'gvisor'] as const;
export type Isolation = (typeof isolations)[number];

/** The property of an app, or of all, that keeps which. */
export const isolationKey = 'isolation';

export function readIsolation(text: string | undefined): Isolation {
  return text === 'gvisor' ? 'gvisor' : 'runc';
}

/** The program of it, which is Debian's package too. */
export const gvisorProgram = 'runsc';

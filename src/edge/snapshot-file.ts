import { open, readFile, rename } from 'node:fs/promises';
import type { CertificateRef, Snapshot, ToEdge } from '../domain/route.ts';

/** The last snapshot on disk, or undefined when there is none that can be read. */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  try {
    return parseSnapshot(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Missing or half-made: control sends a whole one as soon as it is there.
    return undefined;
  }
}

/** Checks the shape of what came from the disk or the wire. */
export function parseSnapshot(value: unknown): Snapshot | undefined {
  const snapshot = value as Partial<Snapshot> | null;
  if (typeof snapshot !== 'object' || snapshot === null || !Number.isSafeInteger(snapshot.generation))
    return undefined;
  const { routes, certificates = [] } = snapshot;
  return Array.isArray(routes) &&
    routes.every(isRoute) &&
    Array.isArray(certificates) &&
    certificates.every(isRef)
    ? (snapshot as Snapshot)
    : undefined;
}

export function isRoute(value: unknown): boolean {
  const route = value as Partial<Snapshot['routes'][number]> | null;
  return (
    typeof route === 'object' &&
    route !== null &&
    typeof route.app === 'string' &&
    ['serving', 'asleep', 'stopped', 'undeployed', 'crashed'].includes(String(route.state)) &&
    Array.isArray(route.domains) &&
    Array.isArray(route.targets) &&
    route.targets.every(target => typeof target?.id === 'string' && Number.isInteger(target.port)) &&
    (route.ports === undefined || (Array.isArray(route.ports) && route.ports.every(isPort)))
  );
}

function isPort(value: unknown): boolean {
  const { scheme, port, container } = (value ?? {}) as Partial<Record<string, unknown>>;
  const known = ['http', 'https', 'h2c'].includes(String(scheme));
  return (known || (scheme === 'tcp' && isNumber(container))) && isNumber(port);
}

function isNumber(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
}

/** An id is part of a file's path. */
function isRef(value: unknown): boolean {
  const ref = value as Partial<CertificateRef> | null;
  return typeof ref?.id === 'string' && /^[0-9a-z-]{1,80}$/.test(ref.id) && Array.isArray(ref.names);
}

/** The snapshot after a message; undefined when the message changes one that this edge does not have. */
export function merged(
  current: Snapshot | undefined,
  message: Extract<ToEdge, { kind: 'snapshot' | 'route' }>,
): Snapshot | undefined {
  if (message.kind === 'snapshot') return message.snapshot;
  const { route, generation, after } = message;
  if (current?.generation !== after) return undefined;
  return { ...current, generation, routes: current.routes.map(old => (old.app === route.app ? route : old)) };
}

/** Whether an instance gets requests no longer. */
export function takesTargets(before: Snapshot, after: Snapshot): boolean {
  const kept = new Set(targetsOf(after));
  return targetsOf(before).some(id => !kept.has(id));
}

function targetsOf({ routes }: Snapshot): string[] {
  return routes.flatMap(({ targets }) => targets.map(({ id }) => id));
}

export type SnapshotWriter = {
  /** Writes the newest; one write at a time, and what was overtaken meanwhile is left out. Resolves when it or a newer one is there. */
  save(snapshot: Snapshot): Promise<void>;
  /** Resolves when nothing is left to write. */
  settled(): Promise<void>;
};

/** Replaces `file` whole by rename, so that a crash leaves the old one or the new one. */
export function createSnapshotWriter(file: string, onError: (error: unknown) => void): SnapshotWriter {
  let next: Snapshot | undefined;
  let running: Promise<void> | undefined;
  let waiting: (() => void)[] = [];
  const drain = async () => {
    while (next) {
      const snapshot = next;
      const told = waiting;
      next = undefined;
      waiting = [];
      await replace(file, JSON.stringify(snapshot)).catch(onError);
      for (const tell of told) tell();
    }
    running = undefined;
  };
  return {
    save(snapshot) {
      next = snapshot;
      const written = new Promise<void>(resolve => waiting.push(resolve));
      running ??= drain();
      return written;
    },
    settled: async () => running,
  };
}

async function replace(file: string, text: string): Promise<void> {
  // Of its own: several edge processes may write at once.
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

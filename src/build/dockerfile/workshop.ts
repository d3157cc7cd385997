import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { Mount } from '../../engine/engine.ts';
import { createLines } from '../lifecycle/output.ts';
import type { Run } from '../lifecycle/run.ts';
import { caInside } from '../operator.ts';

export type Workshop = Awaited<ReturnType<typeof openWorkshop>>;

const silence = 600_000;
const storage = '/var/lib/containers';
/** Debian's buildah, and what it needs beyond what it depends on. */
const tools = ['buildah'];

type Folders = {
  /** Of the app. */
  readonly context: string;
  readonly files: string;
  /** Images as OCI layouts. */
  readonly bases: readonly string[];
};

/**
 * A sandbox with buildah in it: Debian's, as a layer over the stack, so that the host needs none and what a fault of it reaches
 * is the sandbox. Steps of a Dockerfile run chrooted in it with its network, limits and process ids, and with no right to mount,
 * to chroot or to make devices. Layers stay in the app's own storage for the next build.
 */
export async function openWorkshop(run: Run, folders: Folders) {
  const { engine, operator, request, signal, stack, work } = run;
  const { app, limits, progress } = request;
  const layers = [...(await stack.run(request)), await stack.extra(tools, request)];
  const kept = storageOf(run);
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  const out = work.folder('image');
  const tmp = work.folder('tmp');
  chmodSync(tmp, 0o1777);
  const mount = (source: string, target: string, readonly: boolean): Mount => ({ source, target, readonly });
  const sandbox = await engine.openSandbox({
    id: `build-${app.slice(0, 40)}-${randomBytes(4).toString('hex')}`.replaceAll('..', '.'),
    layers,
    mounts: [
      mount(kept, storage, false),
      mount(out, '/out', false),
      mount(tmp, '/var/tmp', false),
      mount(folders.context, '/context', true),
      mount(folders.files, '/files', true),
      ...folders.bases.map((dir, place) => mount(dir, baseInside(place), true)),
      ...(operator.caFile
        ? [mount(operator.caFile, caInside, true), mount(operator.caFile, '/ca/ca.pem', true)]
        : []),
    ],
    limits: { memory: limits.memory, pids: limits.pids },
    network: 'host-uplink',
    hostname: 'build',
    nested: true,
  });
  return {
    /** Folder of the host that is `/out` inside. */
    out,
    /** The last line that it printed. @throws build-failed when it fails */
    async buildah(
      command: string,
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<string> {
      signal.throwIfAborted();
      const last: string[] = [];
      const lines = createLines(line => {
        last.push(line);
        if (last.length > 20) last.shift();
        progress.raw(line);
      });
      const where = [
        '--root',
        `${storage}/storage`,
        '--runroot',
        '/run/containers',
        '--storage-driver',
        'overlay',
      ];
      const status = await sandbox.run({
        argv: ['buildah', ...where, command, ...args],
        env: {
          ...env,
          ...operator.buildEnv,
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          HOME: '/root',
          TMPDIR: '/var/tmp',
        },
        cwd: '/',
        user: 'root',
        onOutput: lines.write,
        timeout: limits.time,
        silence,
        signal,
      });
      lines.end();
      if (status !== 0) throw failed(status);
      return last.at(-1) ?? '';
    },
    close: async (): Promise<void> => await sandbox.close(),
  };
}

/** Where the image with this place in the list is found. */
export function baseInside(place: number): string {
  return `/bases/${place}`;
}

/** Where an app's image layers are kept between builds; gone with the app. */
export function storageOf({ builds, request }: Pick<Run, 'builds' | 'request'>): string {
  return join(builds, request.app, 'containers');
}

function failed(status: number): WherryError {
  return new WherryError(
    'build-failed',
    `The build by the Dockerfile ended with status ${status}. What it said last is above.`,
  );
}

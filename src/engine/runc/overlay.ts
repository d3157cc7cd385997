import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../system/exec.ts';

/** The kernel takes one page of mount options. */
const optionsLimit = 4095;

export type OverlaySpec = {
  /** Host folders, lowest first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly target: string;
  /** Folder for short links to the lower folders: many long paths would not fit into the mount's options. */
  readonly links: string;
};

/** Mounts an overlay file system. @throws when there are more layers than the kernel takes. */
export async function mountOverlay(spec: OverlaySpec): Promise<void> {
  const options = overlayOptions(spec.lower.length);
  if (options.length > optionsLimit) throw new Error(`an overlay of ${spec.lower.length} layers is too long`);
  await rm(spec.links, { recursive: true, force: true });
  await mkdir(spec.links, { recursive: true });
  const link = (folder: string, name: string) => symlink(folder, join(spec.links, name));
  await Promise.all([
    link(spec.upper, 'upper'),
    link(spec.work, 'work'),
    ...spec.lower.map((folder, place) => link(folder, String(place))),
  ]);
  await exec('mount', ['-t', 'overlay', 'overlay', '-o', options, spec.target], {
    cwd: spec.links,
    timeout: 30_000,
  });
}

/** Names of links in the folder that mount runs in, so that no path can break the list; the kernel wants the top layer first. */
export function overlayOptions(count: number): string {
  const lower = Array.from({ length: count }, (_, place) => String(count - 1 - place));
  return `lowerdir=${lower.join(':')},upperdir=upper,workdir=work`;
}

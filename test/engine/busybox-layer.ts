import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiffId } from '../../src/domain/image.ts';

const applets = [
  'cat',
  'chmod',
  'chown',
  'dd',
  'echo',
  'env',
  'hostname',
  'id',
  'ip',
  'kill',
  'ls',
  'mkdir',
  'mount',
  'nc',
];
const more = [
  'ping',
  'ps',
  'sh',
  'sleep',
  'stat',
  'tail',
  'touch',
  'true',
  'unshare',
  'wc',
  'wget',
  'whoami',
];

export const busyboxLayer: DiffId = 'sha256:b0';

/** A root file system of one static program, so that tests of the engine need no stack. */
export async function makeBusyboxLayer(folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(join(folder, 'etc'));
  await copyFile('/bin/busybox', join(folder, 'bin', 'busybox'));
  for (const applet of [...applets, ...more]) await symlink('busybox', join(folder, 'bin', applet));
}

import { readFile } from 'node:fs/promises';
import { parseCgroupLayout } from './cgroup-layout.ts';
import type { Cgroups } from './cgroups.ts';
import { createCgroupsV1 } from './cgroups-v1.ts';
import { createCgroupsV2 } from './cgroups-v2.ts';

/** The control groups of this host. @throws unavailable when the kernel offers none that can limit memory. */
export async function openCgroups(): Promise<Cgroups> {
  const layout = parseCgroupLayout(
    await readFile('/proc/self/mountinfo', 'utf8'),
    await readFile('/proc/self/cgroup', 'utf8'),
  );
  return layout.version === 1 ? createCgroupsV1(layout) : createCgroupsV2(layout);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPaths } from '../../src/system/paths.ts';

/** Whether the kernel holds each instance of an app frozen: cgroup version 1's freezer, or version 2. */
export function frozen(data: string, app: string): readonly boolean[] {
  const { tag } = createPaths({ data });
  const group = join(`wherry-${tag}`, app);
  return [`/sys/fs/cgroup/freezer/${group}`, `/sys/fs/cgroup/${group}`].flatMap(dir =>
    folders(dir).flatMap(name => {
      const state = text(join(dir, name, 'freezer.state')) || text(join(dir, name, 'cgroup.freeze'));
      return state === '' ? [] : [state === '1' || state === 'FROZEN'];
    }),
  );
}

function folders(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

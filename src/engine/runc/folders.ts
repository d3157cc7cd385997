import { join } from 'node:path';

/** Every path of a runc engine; all under one folder, so that purge is one removal. */
export type Folders = ReturnType<typeof createFolders>;

export function createFolders(root: string) {
  const instances = join(root, 'instances');
  const sandboxes = join(root, 'sandboxes');
  const exits = join(root, 'exits');
  const state = join(root, 'runc');
  return {
    root,
    instances,
    sandboxes,
    /** conmon writes one file per ended instance here: its name the id, its text the exit status. */
    exits,
    /** runc's own `--root`. */
    state,
    network: join(root, 'network.json'),
    instance: (id: string) => createInstanceFolder(join(instances, id), join(exits, id), join(state, id)),
    sandbox: (id: string) => createInstanceFolder(join(sandboxes, id), join(exits, id), join(state, id)),
  };
}

export type InstanceFolder = ReturnType<typeof createInstanceFolder>;

function createInstanceFolder(dir: string, exitStatus: string, state: string) {
  return {
    dir,
    /** Written last by `create`: without it the instance is half made. */
    record: join(dir, 'spec.json'),
    /** Our note of how it ended. */
    exit: join(dir, 'exit.json'),
    bundle: join(dir, 'bundle'),
    config: join(dir, 'bundle', 'config.json'),
    rootfs: join(dir, 'rootfs'),
    upper: join(dir, 'upper'),
    work: join(dir, 'work'),
    etc: join(dir, 'etc'),
    pid: join(dir, 'pid'),
    conmonPid: join(dir, 'conmon.pid'),
    exitStatus,
    state,
  };
}

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** Every place on the host that a data directory's Wherry writes to, so that tests and several data directories stay apart. */
export type Paths = ReturnType<typeof createPaths>;

export function createPaths(options: { data: string; cache?: string }) {
  const data = resolve(options.data);
  const cache = resolve(options.cache ?? process.env['WHERRY_CACHE'] ?? '/var/cache/wherry');
  return {
    data,
    /** Stacks, runtime layers and package downloads, shared by every data directory on the host. */
    cache,
    /** Eight hex digits of the data directory's path: in the names of its cgroups, bridge and nft table. */
    tag: createHash('sha256').update(data).digest('hex').slice(0, 8),
    database: join(data, 'wherry.db'),
    secretKey: join(data, 'secret.key'),
    /** Mode 0700; speaks the HTTP API to the local client. */
    apiSocket: join(data, 'control.sock'),
    edgeSocket: join(data, 'edge', 'control.sock'),
    /** The edge's own folder: its last snapshot, readable by its user. */
    edge: join(data, 'edge'),
    /** Of the fast path before the edge, where there is one. */
    front: join(data, 'front'),
    pidFile: join(data, 'daemon.pid'),
    hostKeys: join(data, 'host-keys'),
    repos: join(data, 'repos'),
    builds: join(data, 'builds'),
    /** What each build printed, a folder an app. */
    buildLogs: join(data, 'builds-log'),
    /** Layers of this data directory (app and dependency layers). */
    layers: join(data, 'layers'),
    engine: join(data, 'engine'),
    logs: join(data, 'logs'),
    /** What a backup is made of while it is made, and what it keeps of the index of a server. */
    backup: join(data, 'backup'),
    /** Plugins that were installed, a folder each. */
    plugins: join(data, 'plugins'),
    /** What their commands are, for help without a daemon. */
    pluginHelp: join(data, 'plugin-commands.json'),
    /** A folder an app with the socket that its instances see. Short: a socket's path has at most 107 bytes. */
    leases: join(data, 'lease'),
    /** File systems of storage that has a size. */
    images: join(data, 'storage-images'),
    /** Folders of apps that outlive instances and releases. */
    storage: join(data, 'storage'),
  };
}

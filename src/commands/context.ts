import type { Readable } from 'node:stream';
import type { Certifier } from '../acme/certifier.ts';
import type { Backups } from '../backup/backups.ts';
import type { Builds } from '../build/builds.ts';
import type { DiskRoom } from '../build/disk-room.ts';
import type { DiskUse } from '../build/disk-use.ts';
import type { ScanHostKeys } from '../build/fetch/host-keys.ts';
import type { RebaseAll } from '../build/rebase-all.ts';
import type { CheckLogin } from '../build/registry/check-login.ts';
import type { Stack } from '../build/stack/stack.ts';
import type { Deployer } from '../deploy.ts';
import type { Host } from '../doctor/host.ts';
import type { App } from '../domain/app.ts';
import type { AppName } from '../domain/names.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { AccessLogs, PageFiles } from '../edge-link/index.ts';
import type { Leases } from '../lease/leases.ts';
import type { PluginHost } from '../plugin/host.ts';
import type { Receiver } from '../receive/receiver.ts';
import type { Runtime, Streams } from '../runtime/runtime.ts';
import type { Room } from '../scale/room.ts';
import type { Scaler } from '../scale/scaler.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Locks } from '../system/locks.ts';
import type { Volumes } from '../volumes.ts';
import type { Refusals } from './refusals.ts';

/** What the daemon lends to every command. */
export type Services = {
  readonly store: Store;
  /** Told of what is not understood. */
  readonly refusals: Refusals;
  /** Of apps by name; the app that a command is about is locked for it already. */
  readonly locks: Locks;
  readonly deployer: Deployer;
  readonly builds: Builds;
  readonly backups: Backups;
  readonly disk: DiskUse;
  readonly stacks: Stack;
  readonly rebaseAll: RebaseAll;
  readonly checkLogin: CheckLogin;
  readonly scanHostKeys: ScanHostKeys;
  readonly room: DiskRoom;
  readonly runtime: Runtime;
  readonly scaler: Scaler;
  readonly volumes: Volumes;
  /** The platform's own folder. */
  readonly dataDir: string;
  readonly leases: Pick<Leases, 'busyUntil'>;
  /** As `doctor` looks at it. */
  readonly host: Host;
  /** The memory of the host, as it is promised to instances and builds. */
  readonly hostRoom: Pick<Room, 'taken' | 'budget'>;
  readonly certifier: Certifier;
  readonly plugins: PluginHost;
  readonly receiver: Receiver;
  readonly accessLogs: AccessLogs;
  readonly pageFiles: PageFiles;
  /** As Prometheus reads them. */
  readonly edgeMetrics: () => Promise<string>;
  /** The ports of apps at which the edge listens; undefined while it is away. */
  readonly openPorts: () => ReadonlySet<number> | undefined;
  readonly settings: Settings;
  /** Where visitors find an app. */
  readonly urls: (app: App) => readonly string[];
  readonly clock: Clock;
  readonly version: string;
};

export type Context = Services & {
  readonly actor: Actor;
  /** Whether the client asked for `--quiet`. */
  readonly quiet: boolean;
  /** `--force`: skip confirmations. */
  readonly force: boolean;
  readonly progress: Progress;
  readonly stdin: Readable | undefined;
  readonly signal: AbortSignal;
  /** The client's own streams, for a program of the app: nothing of ours is written to them from then on. @throws invalid over JSON */
  takeStreams(): Streams;
  /** The app by name. @throws app-not-found */
  app(name: AppName): App;
  /** All apps on which the caller may do what the command does, by name. */
  apps(): readonly App[];
  /** Whether that goes for every app, and for what is of none. */
  ofAll(): boolean;
};

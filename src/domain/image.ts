import type { ProcessType } from './names.ts';

/** `sha256:` and 64 hex digits: the hash of a layer's deterministic tar stream (OCI image-spec, DiffID). */
export type DiffId = `sha256:${string}`;
/** `sha256:` and 64 hex digits: the hash of the image's canonical JSON. */
export type ImageId = `sha256:${string}`;

/** What one process type runs: argv (the first a path or a name on the image's PATH), where, and with which default. */
export type ProcessSpec = {
  readonly type: ProcessType;
  /** argv; never passed through a host shell. A Procfile line is `['bash', '-c', line]` here. */
  readonly command: readonly string[];
  readonly workingDir: string;
};

/** Which numeric user an image's processes run as. Never 0. */
export type UserIds = { readonly uid: number; readonly gid: number };

/** Immutable, equal for equal inputs on any host; holds no config values. */
export type Image = {
  readonly id: ImageId;
  /** Lowest layer first, ready to be stacked. */
  readonly layers: readonly DiffId[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: UserIds;
  /** Put in front of every command: the launcher that sets up the layers' environment. */
  readonly entrypoint: readonly string[];
  readonly processes: readonly ProcessSpec[];
  /** Port that the web process listens on, 1 to 65535; the platform's usual one when left out. */
  readonly port?: number;
  /** HTTP path that tells readiness (app.json healthchecks), or none: a TCP connect on PORT. */
  readonly healthcheck?: { readonly path: string };
  readonly labels: Readonly<Record<string, string>>;
};

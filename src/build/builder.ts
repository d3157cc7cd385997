import type { Readable } from 'node:stream';
import type { ArchiveType } from '../domain/archive-type.ts';
import type { BuildLimits } from '../domain/build-limits.ts';
import type { BuilderName } from '../domain/builder.ts';
import type { BuildpackSource } from '../domain/buildpack-source.ts';
import type { BuildOptions } from '../domain/docker-option.ts';
import type { Image } from '../domain/image.ts';
import type { ImageRef } from '../domain/image-ref.ts';
import type { AppName } from '../domain/names.ts';
import type { Progress, Source } from '../domain/push.ts';

/** Source in, image out. The only thing the pipeline knows of building. */
export interface Builder {
  build(request: BuildRequest): Promise<Image>;
  /** An image archive (docker save, OCI layout) as one of ours. @throws invalid or build-failed */
  load(request: LoadRequest): Promise<Image>;
  /** An image of a registry as one of ours; only layers that are not here are fetched. @throws what a registry answers with, or build-failed */
  pull(request: PullImageRequest): Promise<{ image: Image; digest: string }>;
  /** An app's files out of an archive. @throws invalid for what must not be deployed; access-denied, unavailable for a URL */
  unpack(request: UnpackRequest): Promise<Unpacked>;
  /** Brings a commit of a git repository by https, with its history. @throws access-denied, unavailable, not-found */
  fetch(request: FetchRequest): Promise<FetchedCommit>;
  /** Which buildpacks would build it, in order; takes the source away like a build. @throws build-failed when none */
  detect(request: BuildRequest): Promise<readonly string[]>;
  /** The image's own layers on the newest generation of its stack; itself where it is on it already. @throws conflict with the remedy */
  rebase(request: RebaseRequest): Promise<Image>;
  /** The image with what an instance has written into the app's folder. It is not collected before `keep` has been told of it. @throws as a build */
  commit<Kept>(request: CommitRequest, keep: (image: Image) => Kept): Promise<Kept>;
  /** Fetches or makes the stack ahead of the first build. */
  prepare(progress: Progress): Promise<void>;
  /** Forgets caches and records of an app that is destroyed. */
  forget(app: AppName): Promise<void>;
  /** Deletes layers that no image in `kept` names and that no build uses. */
  collect(kept: readonly Image[]): Promise<void>;
}

export type BuildRequest = {
  readonly app: AppName;
  readonly source: Source;
  /** The app's config; reaches buildpacks as files, never a layer or a log. */
  readonly config: Readonly<Record<string, string>>;
  /** What the operator chose for the app, in order; what the app itself says, or detection, when left out. */
  readonly buildpacks?: readonly BuildpackSource[];
  /** The stack to build on, as NAME or NAME@GENERATION; this host's own unless told. */
  readonly base?: string | undefined;
  /** The name that classic buildpacks find in STACK; the stack's id unless told. */
  readonly stack?: string;
  /** The builder that was chosen; the one that fits the app when left out. */
  readonly selected?: BuilderName | undefined;
  /** The folder of the repository that is built, as `apps/web`; all of it when left out. */
  readonly buildDir?: string | undefined;
  /** For a Dockerfile: where it is (`Dockerfile` when left out), and what docker-options say. */
  /** Where the Procfile is below the build's folder; `Procfile` unless told. */
  readonly procfilePath?: string | undefined;
  /** The same of its app.json. */
  readonly appJsonPath?: string | undefined;
  readonly dockerfile?: { readonly path?: string | undefined; readonly options?: BuildOptions };
  /** The image of the release that is live now, or none: what layers are restored from. */
  readonly previous?: Image;
  /** Build again even where nothing changed. */
  readonly fresh?: boolean;
  /** Tell what changed since the last build, before this one begins. */
  readonly explain?: boolean;
  readonly limits: BuildLimits;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

export type RebaseRequest = Pick<BuildRequest, 'app' | 'base' | 'progress' | 'signal'> & {
  readonly image: Image;
  /** Also onto another version of the distribution. */
  readonly force?: boolean;
};

export type CommitRequest = Pick<BuildRequest, 'app' | 'limits' | 'signal'> & {
  readonly image: Image;
  /** Folder of the host with what was written over the image's layers. */
  readonly written: string;
};

export type LoadRequest = Pick<BuildRequest, 'app' | 'limits' | 'progress' | 'signal'> & {
  /** Chooses between several images in it, by name and tag. */
  readonly name: string;
  readonly archive: Readable;
};

export type PullImageRequest = Pick<BuildRequest, 'app' | 'limits' | 'progress' | 'signal'> & {
  readonly ref: ImageRef;
};

export type UnpackRequest = Pick<BuildRequest, 'app' | 'limits' | 'progress' | 'signal'> & {
  /** Where to fetch it, or the archive itself. */
  readonly archive: URL | Readable;
  /** What it may hold. */
  readonly most: { readonly bytes: number; readonly entries: number };
  /** What it must be; whatever it is when left out. */
  readonly type?: ArchiveType | undefined;
};

export type Unpacked = {
  /** Folder with the files; what they all lay in is taken away. */
  readonly dir: string;
  remove(): Promise<void>;
};

export type FetchRequest = Pick<BuildRequest, 'app' | 'progress' | 'signal'> & {
  readonly url: URL;
  /** A branch, a tag or a commit; what the repository has as its default when left out. */
  readonly ref?: string | undefined;
  /** Folders of git's user: where new objects go, and where those are that need not come again. */
  readonly objects: { readonly into: string; readonly known: string };
};

export type FetchedCommit = {
  /** 40 hex digits. */
  readonly commit: string;
  /** The branch that it is the head of, as asked for or by default; undefined for a tag or a commit. */
  readonly branch?: string;
};

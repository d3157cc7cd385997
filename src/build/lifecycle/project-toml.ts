import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { readToml } from '../toml.ts';

/** What an app's project.toml says about building it. */
export type Project = {
  /** Patterns as in .gitignore; only one of the two. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** For the build only; the app's config goes before it. */
  readonly env: Readonly<Record<string, string>>;
  /** The buildpacks instead of detected ones, and those around whatever group builds. */
  readonly group: readonly ProjectBuildpack[];
  readonly pre: readonly ProjectBuildpack[];
  readonly post: readonly ProjectBuildpack[];
};

export type ProjectBuildpack = {
  /** Empty where the address alone is given. */
  readonly id: string;
  /** Where it is fetched from; goes before the id. */
  readonly uri?: string | undefined;
  readonly version?: string | undefined;
  readonly optional: boolean;
  /** A buildpack that is written in project.toml itself. */
  readonly script?: { readonly api: string; readonly shell: string; readonly inline: string } | undefined;
};

const patterns = z.array(z.string().max(1024)).max(1000).default([]);
const variables = z
  .array(z.looseObject({ name: z.string(), value: z.string() }))
  .max(1000)
  .default([]);
const script = z.looseObject({
  api: z.string(),
  shell: z
    .string()
    .regex(/^\/[\w./ -]+$/, 'is not the path of a shell')
    .default('/bin/sh'),
  inline: z.string(),
});
const buildpack = z.looseObject({
  id: z.string().optional(),
  version: z.string().optional(),
  uri: z.string().optional(),
  optional: z.boolean().default(false),
  script: script.optional(),
});
const group = z.array(buildpack).max(100).default([]);
const around = z.looseObject({ group }).default({ group: [] });

const current = z.looseObject({
  include: patterns,
  exclude: patterns,
  group,
  pre: around,
  post: around,
  build: z.looseObject({ env: variables }).default({ env: [] }),
  env: z.looseObject({ build: variables }).default({ build: [] }),
});
const old = z.looseObject({ include: patterns, exclude: patterns, buildpacks: group, env: variables });
const schema = z.looseObject({
  io: z.looseObject({ buildpacks: current.optional() }).optional(),
  build: old.optional(),
});

/** The app's project.toml in its current form (`[io.buildpacks]`) or its first (`[build]`). @throws build-failed */
export function readProject(dir: string): Project | undefined {
  const toml = readToml({ file: join(dir, 'project.toml'), name: 'project.toml', schema });
  const project = toml?.io?.buildpacks ? fromCurrent(toml.io.buildpacks) : toml?.build && fromOld(toml.build);
  if (project && project.include.length > 0 && project.exclude.length > 0)
    throw new WherryError('build-failed', 'project.toml has both include and exclude. Keep one of them.');
  return project;
}

function fromCurrent(toml: z.infer<typeof current>): Project {
  return {
    include: toml.include,
    exclude: toml.exclude,
    env: envOf([...toml.build.env, ...toml.env.build]),
    group: toml.group.map(named),
    pre: toml.pre.group.map(named),
    post: toml.post.group.map(named),
  };
}

function fromOld({ include, exclude, buildpacks, env }: z.infer<typeof old>): Project {
  return { include, exclude, env: envOf(env), group: buildpacks.map(named), pre: [], post: [] };
}

function envOf(variables: readonly { name: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

function named({ id, version, uri, optional, script }: z.infer<typeof buildpack>): ProjectBuildpack {
  if (uri !== undefined) return { id: '', uri, optional };
  if (id === undefined)
    throw new WherryError('build-failed', 'project.toml names a buildpack without id. Give it one.');
  return { id, version, optional, script };
}

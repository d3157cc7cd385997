import type { BuildRequest } from '../build/builder.ts';
import type { Doing } from '../deploy.ts';
import type { App } from '../domain/app.ts';
import { appJsonPathKey } from '../domain/app-manifest.ts';
import { type BuildLimits, buildLimitsOf } from '../domain/build-limits.ts';
import { parseBuilderName } from '../domain/builder.ts';
import { readBuildOptions, secretsOf } from '../domain/docker-option.ts';
import type { Source } from '../domain/push.ts';
import { psKey } from '../domain/upkeep.ts';
import type { Store } from '../store/store.ts';

/** How a build is asked for: `fresh` builds also where nothing changed, `explain` tells why it runs or does not. */
export type Asked = { readonly fresh: boolean; readonly explain: boolean };

export function buildLimitsFor(store: Store, { id }: App): BuildLimits {
  return buildLimitsOf(key => store.properties.resolve(id, key));
}

/** What no build shows. */
export function secretsFor(store: Store, app: App): Readonly<Record<string, string>> {
  return { ...store.config.merged(app), ...secretsOf(buildOptionsOf(store, app)) };
}

/** A build with all that is set for the app. */
export function requestFor(
  store: Store,
  { app, source, how: { fresh, explain } }: { app: App; source: Source; how: Asked },
  doing: Doing,
): BuildRequest {
  const before = store.releases.live(app);
  const buildpacks = store.buildpacks.list(app);
  const stack = store.buildpacks.stack(app);
  const base = store.properties.resolve(app.id, 'stack');
  const selected = store.properties.resolve(app.id, 'builder-selected');
  const buildDir = store.properties.resolve(app.id, 'builder-build-dir');
  return {
    app: app.name,
    source,
    config: store.config.merged(app),
    ...(buildpacks.length > 0 ? { buildpacks } : {}),
    ...(stack === undefined ? {} : { stack }),
    base,
    buildDir,
    appJsonPath: store.properties.resolve(app.id, appJsonPathKey),
    procfilePath: store.properties.resolve(app.id, psKey('procfile-path')),
    ...(selected === undefined ? {} : { selected: parseBuilderName(selected) }),
    dockerfile: {
      path: store.properties.resolve(app.id, 'builder-dockerfile-path'),
      options: buildOptionsOf(store, app),
    },
    ...(before ? { previous: store.images.get(before.image) } : {}),
    fresh,
    explain,
    limits: buildLimitsFor(store, app),
    progress: doing.progress,
    signal: doing.signal ?? new AbortController().signal,
  };
}

function buildOptionsOf(store: Store, app: App) {
  return readBuildOptions(store.properties.list(`app:${app.id}`, 'docker-options-build'));
}

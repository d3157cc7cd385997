import { join } from 'node:path';
import { deployLockOf } from '../deploy/deploy-lock.ts';
import { sourceKindOf, sourceOf } from '../deploy/source.ts';
import type { App } from '../domain/app.ts';
import type { Release } from '../domain/release.ts';
import type { Context } from './context.ts';
import { defineReport } from './report.ts';

export const appsReport = defineReport({
  name: 'apps:report',
  summary: 'Show what is known of one app or all',
  description:
    'deploy-source: git, git-sync, archive or docker-image, by what brought the live release; its metadata is the commit, the repository, the archive or the image.',
  examples: ['apps:report', 'apps:report blog', 'apps:report blog --app-created-at'],
  title: 'app',
  prefix: 'app-',
  values(context, each) {
    const { store, settings } = context;
    const release = store.releases.live(each);
    const [source, metadata] = release ? deployedFrom(context, each, release) : ['', ''];
    return {
      'created-at': each.createdAt.toISOString(),
      'deploy-source': source,
      'deploy-source-metadata': metadata,
      dir: join(settings.data, 'repos', `${each.name}.git`),
      locked: String(deployLockOf(store.properties, each) !== undefined),
      release: release ? `v${release.version}` : '',
      stopped: String(each.stopped),
    };
  },
});

/** In dokku's words: what brought the release, and which of it. */
function deployedFrom({ store }: Context, app: App, release: Release): [string, string] {
  if (release.sourceImage !== null) return ['docker-image', release.sourceImage];
  if (release.commit === null) return ['', ''];
  const brought = sourceOf(store.properties, app, release.commit);
  if (brought === undefined) return ['git', release.commit];
  return [sourceKindOf(store.properties, app), brought];
}

import type { App } from '../domain/app.ts';
import type { Source } from '../domain/push.ts';
import type { Store } from '../store/store.ts';

const key = 'git-source';
const kindKey = 'git-source-kind';

/** How a commit that no push brought came here. */
type SourceKind = 'git-sync' | 'archive';

type Properties = Store['properties'];

/** Where a commit that no push brought came from. */
export function rememberSource(
  properties: Properties,
  app: App,
  { commit, source, kind }: { commit: string; source: string; kind: SourceKind },
): void {
  properties.set(`app:${app.id}`, kindKey, kind);
  properties.set(`app:${app.id}`, key, `${commit} ${source}`);
}

/** The checked-out commit with the repository that it came from, where that is known. */
export function withOrigin(properties: Properties, app: App, source: Source): Source {
  const origin = sourceOf(properties, app, source.commit)?.replace(/#.*/, '');
  return origin !== undefined && /^(https?|ssh):/.test(origin) ? { ...source, origin } : source;
}

/** Where a commit came from, or nothing when it was pushed. */
export function sourceOf(properties: Properties, app: App, commit: string | null): string | undefined {
  const [known, ...source] = properties.get(`app:${app.id}`, key)?.split(' ') ?? [];
  return known === commit ? source.join(' ') : undefined;
}

/** How the commit that `sourceOf` knows came here. */
export function sourceKindOf(properties: Properties, app: App): SourceKind {
  return properties.get(`app:${app.id}`, kindKey) === 'archive' ? 'archive' : 'git-sync';
}

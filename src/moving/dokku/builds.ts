import { parseBuilderName } from '../../domain/builder.ts';
import { type BuildpackSource, parseBuildpackSource } from '../../domain/buildpack-source.ts';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

/** What an app is built by, and where its files are. */
export async function moveBuilder(host: DokkuHost, app: string): Promise<void> {
  const builder = await host.report('builder', app);
  const [selected] = sift(given(builder?.get('selected')), host.left, parseBuilderName);
  if (selected !== undefined) host.step('builder:set', app, 'selected', selected);
  movePath(host, ['builder:set', app, 'build-dir'], builder?.get('build-dir'));
  const manifest = (await host.report('app-json', app))?.get('appjson-path');
  if (manifest !== 'app.json') movePath(host, ['app-json:set', app, 'appjson-path'], manifest);
  const dockerfile = (await host.report('builder-dockerfile', app))?.get('dockerfile-path');
  if (dockerfile !== 'Dockerfile')
    movePath(host, ['builder-dockerfile:set', app, 'dockerfile-path'], dockerfile);
}

/** Buildpacks in their order; all of them or, when one has no meaning here, none. */
export async function moveBuildpacks(host: DokkuHost, app: string): Promise<void> {
  const list = (await host.report('buildpacks', app))?.get('list') ?? '';
  const named = list.split(/[\s,]+/).filter(each => each !== '');
  const known = sift(named, host.left, each => notOnHost(parseBuildpackSource(each)));
  if (known.length > 0 && known.length === named.length)
    host.step('buildpacks:set', '--replace', app, ...known);
  else if (known.length > 0)
    host.left.push(`Its other buildpacks are not set without that one: buildpacks:set --replace ${app} ...`);
}

/** A path of the repository that is a setting; only one that is plain. */
export function movePath(host: DokkuHost, words: readonly string[], path: string | undefined): void {
  if (path === undefined || path === '') return;
  if (/^(?!.*\.\.)[\w@+=-][\w.@+=/-]{0,200}$/.test(path)) host.step(...words, path);
  else host.left.push(`Path ${quoteForPeople(path)} is odd. Set it by hand: ${words.join(' ')} PATH`);
}

function given(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [value];
}

function notOnHost(source: BuildpackSource): void {
  if (source.kind !== 'folder') return;
  throw new WherryError(
    'invalid',
    `Buildpack ${quoteForPeople(source.path)} is a folder of that host. Bring it here, and set it by its path.`,
  );
}

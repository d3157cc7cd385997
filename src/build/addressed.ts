import { WherryError } from '../domain/errors.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { readProject } from './lifecycle/project-toml.ts';
import type { Run } from './lifecycle/run.ts';
import { describeAll, fetchAll, holdAt, kindOf, namedByApp } from './named.ts';

/**
 * The run with the buildpacks that the app's project.toml names by address (`uri`), fetched. Those of its group are not asked
 * for where somebody named others, which go before them.
 * @throws build-failed, invalid, access-denied or unavailable, naming the buildpack
 */
export async function withAddressed(run: Run, fetcher: Fetcher): Promise<Run> {
  const { request } = run;
  const project = readProject(request.source.dir);
  if (!project) return run;
  const group = run.kind === 'native' ? [] : project.group;
  const named = [...group, ...project.pre, ...project.post].flatMap(({ uri }) => uri ?? []);
  const addresses = [...new Set(named)];
  if (addresses.length === 0) return run;
  const sources = addresses.map(address => namedByApp(address, request.app));
  const here = await fetchAll(run, fetcher, { sources, pins: 'project.json' });
  const classic = here.find(({ fetched }) => fetched && kindOf(fetched) === 'classic');
  if (classic)
    throw new WherryError(
      'build-failed',
      `project.toml names ${classic.source.text}, which is one of Heroku's classic kind. Name it in .buildpacks instead.`,
    );
  const { known, each } = describeAll(run.buildpacks, here);
  holdAt(run, here, 'project.json');
  const addressed = new Map(
    addresses.flatMap((address, place) => (each[place] ? [[address, each[place]]] : [])),
  );
  return { ...run, buildpacks: known, addressed };
}

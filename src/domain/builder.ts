import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Ways to build an app, by the names that people choose them with. */
const builders = ['buildpacks', 'dockerfile'] as const;
export type BuilderName = (typeof builders)[number];

/** dokku's names for building with buildpacks: here both kinds are built by one builder, which looks at the buildpack. */
const aliases: Readonly<Record<string, BuilderName>> = { herokuish: 'buildpacks', pack: 'buildpacks' };

/** @throws invalid for a builder that Wherry has not */
export function parseBuilderName(text: string): BuilderName {
  const found = builders.find(name => name === text) ?? aliases[text];
  if (found !== undefined) return found;
  throw new WherryError(
    'invalid',
    `Builder ${quoteForPeople(text)} is not known. Known are: ${[...builders, ...Object.keys(aliases)].join(', ')}.`,
  );
}

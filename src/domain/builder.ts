import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Ways to build an app, by the names that people choose them with. */
const builders = ['buildpacks', 'dockerfile'] as const;
export type BuilderName = (typeof builders)[number];

/** dokku's names for building with buildpacks: here both kinds are built by one builder, which looks at the buildpack. */
const aliases: Readonly<Record<string, BuilderName>> = { herokuish: 'buildpacks', pack: 'buildpacks' };

/** dokku's other builders, with what does their work here. */
const others: Readonly<Record<string, string>> = {
  nixpacks: 'Builder buildpacks knows the same languages',
  railpack: 'Builder buildpacks knows the same languages',
  lambda: "Builder dockerfile can build from an image of the function's runtime",
  null: 'A file named null in the repository says that nothing is to be built',
};

/** Label of images by the builder that made them, where nothing else tells it. */
export const builderLabel = 'io.wherry.builder';

/** @throws invalid for a builder that Wherry has not */
export function parseBuilderName(text: string): BuilderName {
  const found =
    builders.find(name => name === text) ?? (Object.hasOwn(aliases, text) ? aliases[text] : undefined);
  if (found !== undefined) return found;
  const known = [...builders, ...Object.keys(aliases)].join(', ');
  const instead = Object.hasOwn(others, text) ? `${others[text]}; known` : 'Known';
  throw new WherryError('invalid', `Builder ${quoteForPeople(text)} is not here. ${instead} are: ${known}.`);
}

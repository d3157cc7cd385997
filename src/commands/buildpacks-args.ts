import { type BuildpackSource, parseBuildpackSource } from '../domain/buildpack-source.ts';
import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asText, flag, integer, optional, shown } from './args.ts';

/** Most buildpacks of one app. */
export const mostBuildpacks = 20;

/** As it is stored: short names written out. */
export const buildpack: ArgKind<BuildpackSource> = {
  word: 'buildpack',
  required: true,
  schema: { type: 'string' },
  parse: value => parseBuildpackSource(asText(value, 'buildpack')),
};
/** A place in the list. */
export const index = flag(optional(integer('index', { min: 1, max: mostBuildpacks })), {
  help: 'position, from 1',
});

/** A branch that git and a path may be given. */
export const branch: ArgKind<string> = {
  word: 'branch',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const name = asText(value, 'branch');
    if (/^[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,199}$/.test(name) && !/\.\.|\/\//.test(name)) return name;
    throw new WherryError('invalid', `${shown(name)} is not a branch name. Give for example "main".`);
  },
};

export const property: ArgKind<'stack'> = {
  word: 'property',
  required: true,
  schema: { enum: ['stack'] },
  parse(value) {
    if (value === 'stack') return value;
    throw new WherryError('invalid', 'Invalid property specified, valid properties include: stack');
  },
};

export const stackName: ArgKind<string> = {
  word: 'value',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const name = asText(value, 'value');
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return name;
    throw new WherryError('invalid', 'A stack is 1 to 63 letters, digits, ".", "_" and "-", as heroku-24.');
  },
};

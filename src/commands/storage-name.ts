import { parseVolumeName } from '../domain/volume.ts';
import { type ArgKind, asText } from './args.ts';

/** A name of storage: `uploads`, `blog/uploads`. */
export const storageName: ArgKind<string> = {
  word: 'name',
  required: true,
  schema: { type: 'string' },
  parse: value => parseVolumeName(asText(value, 'name')),
};

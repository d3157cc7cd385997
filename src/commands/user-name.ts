import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText } from './args.ts';

const pattern = '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$';

/** What `said` calls it: a key's name is its user's. */
export const userName = (said: string, word = 'user'): ArgKind<string> => ({
  word,
  required: true,
  schema: { type: 'string', pattern },
  parse(value) {
    const name = asText(value, word);
    if (new RegExp(pattern).test(name)) return name;
    throw new WherryError(
      'invalid',
      `${said} ${quoteForPeople(name)} is not valid. Use 1 to 63 letters, digits, ".", "_", "@" and "-".`,
    );
  },
});

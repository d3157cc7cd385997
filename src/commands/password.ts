import { WherryError } from '../domain/errors.ts';
import type { ArgKind } from './args.ts';
import type { Context } from './context.ts';
import { readStdin } from './read-stdin.ts';

/** Bytes; the longest that is known of is a token of a cloud, of about 4 kB. */
const longestPassword = 16 * 1024;

/** Where dokku takes a password as a word: refused, and never shown. @param hint a command line that is right */
export function noPasswordWord(hint: string): ArgKind<undefined> {
  return {
    word: 'password on standard input',
    secret: 'all',
    required: false,
    schema: { type: 'null' },
    parse(value) {
      if (value === undefined || value === null) return undefined;
      throw new WherryError(
        'usage',
        'A password is not taken as a word: every user of a host sees the words of a command. Send it on standard input.',
        { hint },
      );
    },
  };
}

/** The first line on standard input. @throws usage when there is none, invalid when it is no password */
export async function readPassword({ stdin, signal }: Context, hint: string): Promise<string> {
  const line = await readStdin(stdin, { until: 'line', max: longestPassword, signal });
  const secret = line.replace(/\r$/, '');
  if (secret === '')
    throw new WherryError('usage', 'No password came on standard input. Send it as one line.', { hint });
  if (/\p{Cc}/u.test(secret))
    throw new WherryError('invalid', 'The password holds a control character, which no password has.');
  return secret;
}

import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/**
 * An address on the network that Wherry itself fetches from, for people who may deploy. Whether the host may be reached is for
 * the fetcher to say.
 * @throws invalid for anything but https (http where an operator allows the host), or with a password in it
 */
export function parseRemoteUrl(text: string): URL {
  if (/[\0-\x20\x7f-\uffff]/.test(text) || text.length > 2048)
    throw new WherryError('invalid', `URL ${quoteForPeople(text)} holds characters that no URL has.`);
  const url = readUrl(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new WherryError(
      'invalid',
      `URL ${quoteForPeople(text)} is fetched by ${url.protocol.replace(/:$/, '')}, which is not supported. Give its https URL.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new WherryError(
      'invalid',
      `The URL at ${quoteForPeople(url.host)} has a name or password in it, which logs and reports would show. Leave it out.`,
    );
  }
  return url;
}

function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no URL. Give one such as https://example.org/x.`,
      {
        cause,
      },
    );
  }
}

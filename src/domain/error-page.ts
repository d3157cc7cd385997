import { WherryError } from './errors.ts';
import { type HttpAuth, httpAuthFor, httpAuthKey } from './http-auth.ts';
import { type Redirects, readRedirects, redirectsKey } from './redirect.ts';

/** What an app may have a page of its own for: the statuses that the edge answers with in its place, and maintenance. */
export const errorPages = ['502', '503', '504', 'maintenance'] as const;
export type ErrorPage = (typeof errorPages)[number];

export const maxErrorPage = 65_536;

/** Names of files in the edge's folder `pages`: the SHA-256 of what they hold. */
export type PageSums = Readonly<Partial<Record<ErrorPage, string>>>;

/** The property that holds an app's sums, as JSON. */
export const pageSumsKey = 'error-pages';

export function readPageSums(stored: string | undefined): PageSums {
  return stored === undefined ? {} : (JSON.parse(stored) as PageSums);
}

/** The property that holds a page. */
export function pageKey(page: ErrorPage): string {
  return `error-page-${page}`;
}

/** @throws invalid */
export function parsePage(text: string): string {
  if (text.trim() === '')
    throw new WherryError(
      'invalid',
      'No page came on standard input. Give one, as in: error-pages:set blog 503 < page.html',
    );
  if (text.includes('\0') || text.includes('\ufffd'))
    throw new WherryError('invalid', 'What came on standard input is no text in UTF-8. Give a page in HTML.');
  return text;
}

/** The property that says `true` while an app is down for maintenance. */
export const maintenanceKey = 'maintenance';

export type Answers = {
  readonly maintenance?: true;
  readonly pages?: PageSums;
  readonly redirects?: Redirects;
  readonly auth?: HttpAuth;
};

/** What the edge answers in an app's place. @param get a property of the app */
export function readAnswers(get: (key: string) => string | undefined): Answers {
  const sums = get(pageSumsKey);
  const redirects = get(redirectsKey);
  const auth = httpAuthFor(get(httpAuthKey));
  return {
    ...(get(maintenanceKey) === 'true' && { maintenance: true }),
    ...(sums !== undefined && { pages: readPageSums(sums) }),
    ...(auth && { auth }),
    ...(redirects !== undefined && { redirects: readRedirects(redirects) }),
  };
}

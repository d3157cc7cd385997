import { WherryError } from './errors.ts';
import { type ImageRef, parseImageRef } from './image-ref.ts';
import { quoteForPeople } from './names.ts';

/** Where a buildpack comes from, as an operator or an app names it. */
export type BuildpackSource = {
  /** As it is stored and shown: short names written out. */
  readonly text: string;
} & (
  | { readonly kind: 'built-in'; readonly id: string }
  /** `ref` is a branch, a tag or a commit; the repository's own default when left out. */
  | { readonly kind: 'git'; readonly url: string; readonly ref?: string }
  /** `sha256` is what the download must hash to, if it is pinned by hand. */
  | { readonly kind: 'archive'; readonly url: string; readonly sha256?: string }
  /** A buildpackage: an image of a registry that holds a Cloud Native Buildpack. */
  | { readonly kind: 'image'; readonly ref: ImageRef }
  /** A folder of this host. */
  | { readonly kind: 'folder'; readonly path: string }
);

const archiveName = /\.(tgz|tar\.gz|tbz|tbz2|tar\.bz|tar\.bz2|tar)$/i;
const refRule = /^(?!-)(?!.*\.\.)(?!.*@\{)[A-Za-z0-9_./+@-]{1,200}$/;

/**
 * `wherry/NAME`, `OWNER/NAME` (as dokku: the GitHub repository OWNER/heroku-buildpack-NAME), a URL of a git repository or an
 * archive with `#ref` or `#sha256=...`, `docker://REGISTRY/NAME:TAG` (the scheme may be left out where the registry is named), or
 * the absolute path of a folder.
 * @throws invalid
 */
export function parseBuildpackSource(given: string): BuildpackSource {
  const text = given.trim();
  if (text === '') throw new WherryError('invalid', 'Please specify a buildpack to add or set');
  if (/[\0-\x20\x7f-\uffff]/.test(text) || text.length > 2048)
    throw invalid(given, 'has characters that no URL has');
  if (/^wherry\/[a-z0-9-]+$/.test(text)) return { kind: 'built-in', text, id: text };
  if (text.startsWith('/')) return parseFolder(text);
  const image = imageIn(text);
  if (image !== undefined) return parseImage(image, text);
  if (/^(urn:cnb:|from=)/i.test(text)) throw ofCatalogue(text);
  const short = /^(\w[\w-]*)\/(\w[\w-]*)$/.exec(text);
  if (short) return parseUrl(`https://github.com/${short[1]}/heroku-buildpack-${short[2]}.git`);
  return parseUrl(text);
}

/** Hosts of repositories that people write without `https://`. */
const codeHosts = new Set(['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org']);

/** The name of an image, where the text is one. */
function imageIn(text: string): string | undefined {
  const scheme = /^docker:\/*/i.exec(text)?.[0];
  if (scheme !== undefined) return text.slice(scheme.length);
  const host = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|[a-z0-9-]+:\d+|localhost)\/[^/]/i.exec(text)?.[1];
  const other = host === undefined || codeHosts.has(host.toLowerCase()) || /\.git($|#)/.test(text);
  return other || archiveName.test(text) ? undefined : text;
}

function parseImage(name: string, text: string): BuildpackSource {
  try {
    const ref = parseImageRef(name);
    return { kind: 'image', text: `docker://${ref.text}`, ref };
  } catch (error) {
    throw error instanceof WherryError ? invalid(text, 'names no image of a registry') : error;
  }
}

/** What `pack` reads from a list of buildpacks or from a builder, neither of which there is here. */
function ofCatalogue(text: string): WherryError {
  const example = 'docker://docker.io/OWNER/NAME:VERSION';
  return /^urn:cnb:registry:/i.test(text)
    ? invalid(
        text,
        `is a name of the buildpack registry, which is not asked. Give the image that it lists, as ${example}`,
      )
    : invalid(
        text,
        `is in a builder image, which is not used here. Give the image of the buildpack, as ${example}`,
      );
}

function parseFolder(text: string): BuildpackSource {
  if (text.split('/').some(part => part === '..')) throw invalid(text, 'holds ".."');
  return { kind: 'folder', text, path: text };
}

function parseUrl(text: string): BuildpackSource {
  const [address = '', fragment] = splitOnce(text, '#');
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw invalid(text, 'is no URL, no folder and not OWNER/NAME');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(
      text,
      `is fetched by ${url.protocol.replace(/:$/, '')}, which is not supported. Use its https URL`,
    );
  if (url.username !== '' || url.password !== '')
    throw invalid(url.host, 'has a name or password in its URL, which logs and reports would show');
  if (url.hostname === '' || url.pathname === '/') throw invalid(text, 'names no repository');
  if (archiveName.test(url.pathname)) return parseArchive(text, url, fragment);
  if (fragment !== undefined && !refRule.test(fragment))
    throw invalid(text, 'has a ref behind "#" that git does not allow');
  return { kind: 'git', text, url: url.href, ...(fragment === undefined ? {} : { ref: fragment }) };
}

function parseArchive(text: string, url: URL, fragment: string | undefined): BuildpackSource {
  if (fragment === undefined) return { kind: 'archive', text, url: url.href };
  const digest = /^sha256=([0-9a-f]{64})$/i.exec(fragment)?.[1];
  if (digest === undefined)
    throw invalid(text, 'has something else than "sha256=" and 64 hex digits behind "#"');
  return { kind: 'archive', text, url: url.href, sha256: digest.toLowerCase() };
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(text: string, why: string): WherryError {
  return new WherryError('invalid', `Invalid buildpack specified: ${quoteForPeople(text)} ${why}.`);
}

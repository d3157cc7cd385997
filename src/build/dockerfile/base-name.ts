import { createHash } from 'node:crypto';
import { WherryError } from '../../domain/errors.ts';
import { type ImageRef, parseImageRef } from '../../domain/image-ref.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { bad } from './bad.ts';

/** What a stage starts from or copies from, and what it is called in the image builder's storage. */
export type BaseName = { readonly local: string; readonly line: number } & (
  | {
      readonly kind: 'stack';
      /** The app's own when left out. */
      readonly stack?: string;
    }
  | { readonly kind: 'image'; readonly ref: ImageRef }
);

/** How apps name the platform's stack in `FROM`; `wherry/stack:NAME` is another one of this host. */
const stackImage = 'wherry/stack';
const longestName = 200;

/**
 * The platform's stack, or an image of a registry; nothing that could be a path or another transport.
 * @throws build-failed naming the line
 */
export function readBaseName(text: string, line: number): BaseName {
  const stack = new RegExp(`^${stackImage}(?::([a-z0-9][a-z0-9.-]{0,62}))?$`).exec(text);
  if (stack) {
    const [, name = 'latest'] = stack;
    const local = `localhost/${stackImage}:${name}`;
    return { kind: 'stack', local, line, ...(name === 'latest' ? {} : { stack: name }) };
  }
  const ref = refOf(text, line);
  return { kind: 'image', local: localName(ref), line, ref };
}

function refOf(text: string, line: number): ImageRef {
  try {
    const ref = parseImageRef(text);
    if (ref.registry.length + ref.repository.length <= longestName) return ref;
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
  }
  throw bad(
    line,
    `${quoteForPeople(text)} is no name of an image. Give one such as "debian:12" or "${stackImage}"`,
  );
}

/** One that the image builder never looks for in a registry, and that people recognise. */
function localName({ registry, repository, tag = '', digest }: ImageRef): string {
  // Hosts may hold what a part of a repository's name cannot.
  const host = /^[a-z0-9]+([.-][a-z0-9]+)*(:\d+)?$/.test(registry)
    ? registry.replace(':', '_')
    : createHash('sha256').update(registry).digest('hex').slice(0, 16);
  return `localhost/${host}/${repository}:${digest === undefined ? tag : digest.replace(':', '-')}`;
}

import { createHash } from 'node:crypto';
import type { Image } from '../domain/image.ts';

/** An image's id is the hash of everything else in it, so that equal parts give an equal id on any host. */
export function identified(content: Omit<Image, 'id'>): Image {
  return { id: `sha256:${createHash('sha256').update(canonical(content)).digest('hex')}`, ...content };
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
}

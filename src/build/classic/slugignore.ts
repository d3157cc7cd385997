import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { walk } from '../layers/walk.ts';
import { readSmallFile } from '../read-file.ts';

/** Deletes what `.slugignore` names from a checkout, as Heroku does before detection. Lines with `!` are passed over, as there. */
export function applySlugignore(dir: string): void {
  const text = readSmallFile(join(dir, '.slugignore'), '.slugignore');
  if (text === undefined) return;
  const rules = text.split(/\r?\n/).flatMap(line => parseRule(line.trim()));
  if (rules.length === 0) return;
  const doomed = [...walk(dir)].filter(({ path, stats }) =>
    rules.some(rule => (stats.isDirectory() || !rule.foldersOnly) && rule.pattern.test(path)),
  );
  for (const { path } of doomed) rmSync(join(dir, path), { recursive: true, force: true });
}

type Rule = { readonly pattern: RegExp; readonly foldersOnly: boolean };

/** A pattern with a slash in front or inside is from the root, one without for any folder; `*` and `?` stay inside a name. */
function parseRule(line: string): Rule[] {
  if (line === '' || line.startsWith('#') || line.startsWith('!') || line.length > 500) return [];
  const foldersOnly = line.endsWith('/');
  const bare = line.replace(/\/+$/, '');
  const rooted = bare.includes('/');
  const parts = bare
    .replace(/^\/+/, '')
    .split('/')
    .filter(part => part !== '');
  if (parts.length === 0) return [];
  const body = parts
    .map(part => (part === '**' ? '.*' : glob(part)))
    .join('/')
    .replaceAll('.*/', '(?:.*/)?');
  return [{ pattern: new RegExp(`^${rooted ? '' : '(?:.*/)?'}${body}$`), foldersOnly }];
}

function glob(part: string): string {
  return part
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}

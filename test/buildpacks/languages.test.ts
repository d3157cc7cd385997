import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const folders = readdirSync(join(root, 'buildpacks'), { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name);
const text = readFileSync(join(root, 'docs/languages.md'), 'utf8');
const sections = new Map(text.split(/^## /m).map(part => [part.slice(0, part.indexOf('\n')), part]));

describe('docs/languages.md', () => {
  it.each(folders)(
    'says of %s how it is found, its versions, what it builds and runs, and its settings',
    name => {
      const section = sections.get(name) ?? '';
      const heads = [...section.matchAll(/^\*\*([A-Z][a-z ]+)[.*]/gm)].map(([, head]) => head);
      expect(heads).toEqual(['Found by', 'Versions', 'Built', 'Runs', 'Settings']);
      for (const file of filesOf(name)) expect(section).toContain(`\`${file}`);
    },
  );

  it('names no buildpack that is not there', () => {
    const linked = [...text.matchAll(/\]\(#([a-z]+)\)/g)].map(([, name]) => name ?? '');
    expect(linked.filter(name => !folders.includes(name))).toEqual([]);
    expect(folders.filter(name => !linked.includes(name))).toEqual([]);
  });

  it('is found from the README', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('(docs/languages.md)');
  });
});

/** Files or folders without any of which the buildpack's detection fails. */
function filesOf(name: string): readonly string[] {
  const { metadata } = parse(readFileSync(join(root, 'buildpacks', name, 'buildpack.toml'), 'utf8'));
  return (metadata as unknown as { wherry: { 'detect-needs': readonly string[] } }).wherry['detect-needs'];
}

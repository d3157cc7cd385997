import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../../system/exec.ts';
import { suite } from './recipe.ts';

/** `deb` lines for sources.list, and apt options, as the host has them: its mirror and proxy reach where ours must. */
export type Mirror = { readonly sources: readonly string[]; readonly options: readonly string[] };

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Reads the host's apt settings. No sources when the host is not set to this Debian suite: mmdebstrap then takes its own default. */
export async function hostMirror(etc = '/etc/apt'): Promise<Mirror> {
  const entries = sourceFiles(etc).flatMap(file =>
    file.endsWith('.sources') ? fromStanzas(read(file)) : fromLines(read(file)),
  );
  return { sources: [...new Set(entries)], options: await hostOptions() };
}

/** Lines of one-line format (sources.list(5)) that name our suite and hold `main`. */
export function fromLines(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    return match ? entry(match[1] ?? '', match[2] ?? '', match[3] ?? '') : [];
  });
}

/** The same from deb822 stanzas. */
export function fromStanzas(text: string): string[] {
  return text.split(/\n\s*\n/).flatMap(stanza => {
    const field = (name: string) =>
      new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (field('Enabled')[0] === 'no' || !field('Types').includes('deb')) return [];
    return field('URIs').flatMap(uri =>
      field('Suites').flatMap(name => entry(uri, name, field('Components').join(' '))),
    );
  });
}

function entry(uri: string, name: string, components: string): string[] {
  const ours = [suite, `${suite}-updates`, `${suite}-security`].includes(name);
  const reachable = /^(https?|file):\/\//.test(uri);
  if (!ours || !reachable || !/\bmain\b/.test(components) || !uri.includes('debian')) return [];
  return [`deb [signed-by=${keyring}] ${uri} ${name} main`];
}

function sourceFiles(etc: string): string[] {
  const parts = join(etc, 'sources.list.d');
  const more = listed(parts).filter(name => /\.(list|sources)$/.test(name));
  return [join(etc, 'sources.list'), ...more.sort().map(name => join(parts, name))];
}

function listed(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Proxies and trust of the host's apt; old Release files are accepted, as a mirror may be a dated snapshot. */
async function hostOptions(): Promise<string[]> {
  const { stdout } = await exec('apt-config', ['dump']);
  const network = stdout.split('\n').filter(line => /^Acquire::https?::(.*::)?(Proxy|CAInfo)\b/i.test(line));
  return ['Acquire::Check-Valid-Until "false";', 'Acquire::Check-Date "false";', ...network];
}

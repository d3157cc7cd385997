import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exec } from '../../system/exec.ts';
import { list } from '../../system/list.ts';
import { suite as usual } from './recipe.ts';

/** `deb` lines for sources.list, and apt options, as the host has them: its mirror and proxy reach where ours must. */
export type Mirror = { readonly sources: readonly string[]; readonly options: readonly string[] };

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Reads the host's apt settings. A mirror of the host's own suite has the others too. No sources when the host names no Debian
 * mirror: mmdebstrap then takes its own default.
 */
export async function hostMirror(suite: string = usual, etc = '/etc/apt'): Promise<Mirror> {
  const named = sourcesFor(suite, etc);
  const own = /^VERSION_CODENAME=(\w+)$/m.exec(read(join(dirname(etc), 'os-release')))?.[1] ?? usual;
  const sources =
    named.length > 0
      ? named
      : sourcesFor(own, etc).map(line =>
          line.replace(new RegExp(` ${own}(-\\w+)? main$`), ` ${suite}$1 main`),
        );
  return { sources: [...new Set(sources)], options: await hostOptions() };
}

function sourcesFor(suite: string, etc: string): string[] {
  return sourceFiles(etc).flatMap(file =>
    file.endsWith('.sources') ? fromStanzas(read(file), suite) : fromLines(read(file), suite),
  );
}

/** Lines of one-line format (sources.list(5)) that name the suite and hold `main`. */
export function fromLines(text: string, suite: string = usual): string[] {
  return text.split('\n').flatMap(line => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    return match
      ? entry(suite, { uri: match[1] ?? '', name: match[2] ?? '', components: match[3] ?? '' })
      : [];
  });
}

/** The same from deb822 stanzas. */
export function fromStanzas(text: string, suite: string = usual): string[] {
  return text.split(/\n\s*\n/).flatMap(stanza => {
    const field = (name: string) =>
      new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (field('Enabled')[0] === 'no' || !field('Types').includes('deb')) return [];
    return field('URIs').flatMap(uri =>
      field('Suites').flatMap(name => entry(suite, { uri, name, components: field('Components').join(' ') })),
    );
  });
}

function entry(
  suite: string,
  { uri, name, components }: { uri: string; name: string; components: string },
): string[] {
  const ours = [suite, `${suite}-updates`, `${suite}-security`].includes(name);
  const reachable = /^(https?|file):\/\//.test(uri);
  if (!ours || !reachable || !/\bmain\b/.test(components) || !uri.includes('debian')) return [];
  return [`deb [signed-by=${keyring}] ${uri} ${name} main`];
}

function sourceFiles(etc: string): string[] {
  const parts = join(etc, 'sources.list.d');
  const more = list(parts).filter(name => /\.(list|sources)$/.test(name));
  return [join(etc, 'sources.list'), ...more.sort().map(name => join(parts, name))];
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

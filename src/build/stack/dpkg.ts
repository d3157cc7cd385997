import type { DiffId } from '../../domain/image.ts';
import type { Packages } from './generation.ts';
import { readInside } from './inside.ts';

/** What dpkg has installed in stacked layers, as their topmost record of it says; nothing where there is none. */
export function packagesIn(layers: readonly DiffId[], layerPath: (id: DiffId) => string): Packages {
  return parseStatus(readInside(layers, layerPath, 'var/lib/dpkg/status') ?? '');
}

/** dpkg's status file: stanzas of a package each. */
export function parseStatus(text: string): Packages {
  const found = text.split(/\n\n+/).flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('Package'), field('Version')];
    return name && version && field('Status')?.endsWith(' installed') ? [[name, version] as const] : [];
  });
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names whose versions differ, or that only one of them has. */
export function changedPackages(before: Packages, after: Packages): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter(name => before[name] !== after[name]).sort();
}

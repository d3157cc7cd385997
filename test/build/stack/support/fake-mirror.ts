import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerStore } from '../../../../src/build/layers/store.ts';
import type { Makers } from '../../../../src/build/stack/stack.ts';

/** A mirror of a few packages, whose versions a test changes, and makers that take what it has without any Debian. */
export function fakeMirror(dir: string) {
  const versions: Record<string, string> = { curl: '1', file: '1', libvips42: '1', lighttpd: '1' };
  const made: string[] = [];
  const status = (names: readonly string[]) =>
    names
      .map(name => `Package: ${name}\nStatus: install ok installed\nVersion: ${versions[name] ?? '1'}\n`)
      .join('\n');
  const put = async (layers: LayerStore, files: Readonly<Record<string, string>>) => {
    const root = mkdtempSync(join(dir, 'made-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return await layers.put({ dir: root, scope: 'shared', origin: 'test' });
  };
  const makers: Makers = {
    base: async ({ layers, suite, packages }) => {
      made.push(['base', suite, ...packages].join(' '));
      return await put(layers, {
        'usr/lib/os-release': `ID=debian\nVERSION_ID="${suite === 'trixie' ? 13 : 12}"\n`,
        'var/lib/dpkg/status': status(['curl', ...packages]),
      });
    },
    packages: async ({ layers, base, packages, record }) => {
      made.push(packages.join(' '));
      const files = Object.fromEntries(packages.map(name => [`opt/${name}`, versions[name] ?? '1']));
      return await put(
        layers,
        record
          ? { ...files, 'var/lib/dpkg/status': status(['curl', ...packages]), 'opt/base': base.join() }
          : files,
      );
    },
  };
  return { versions, made, makers };
}

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore } from '../../../src/build/layers/store.ts';
import { describeBuildpack, loadBuildpacks } from '../../../src/build/lifecycle/buildpack.ts';
import { orderOf } from '../../../src/build/lifecycle/composite.ts';
import { aBuildpack } from './support/a-buildpack.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-buildpack-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const digest = `sha256:${'0'.repeat(64)}` as const;
const programs = { 'bin/detect': '#!/bin/sh\n', 'bin/build': '#!/bin/sh\n' };
const describeToml = (toml: string, files: Record<string, string> = programs) => {
  for (const [name, text] of Object.entries({ 'buildpack.toml': toml, ...files })) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text, { mode: 0o755 });
  }
  return describeBuildpack(root, { name: 'it', digest });
};
const head = (id: string, api = '0.10') => `api = "${api}"\n[buildpack]\nid = "${id}"\nversion = "1.2.3"\n`;

describe("a buildpack's descriptor", () => {
  it.each(['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'])('A1 may ask for Buildpack API %s', api => {
    expect(describeToml(head('a', api)).api).toBe(api);
  });

  it.each(['0.6', '0.13', '1.0', '0.1'])('A1 is refused with API %s, naming id and version', api => {
    expect(() => describeToml(head('x/y', api))).toThrow(
      `Buildpack x/y@1.2.3 asks for Buildpack API ${api}.`,
    );
  });

  it.each(['app', 'Config', 'generated', 'SBOM', '..', 'a//b', 'a/../b'])('A4 may not have the id %j', id => {
    expect(() => describeToml(head(id))).toThrow('has a reserved id');
  });

  it('A4 has an id of letters, digits, ".", "/" and "-"; unknown keys are passed over', () => {
    expect(describeToml(`${head('a.B/c-1')}future = true\n[other]\nx = 1\n`).id).toBe('a.B/c-1');
    expect(() => describeToml(head('a b'))).toThrow('has other characters');
  });

  const ofVersion = (version: string) => `api = "0.10"\n[buildpack]\nid = "a"\nversion = "${version}"\n`;
  it.each(['1.2.3', '0.1', '1.0.0-rc.1+b_7', 'v5', '2024.11'])('A4 may have the version %j', version => {
    expect(describeToml(ofVersion(version)).version).toBe(version);
  });
  it.each(['', '..', '1/2', 'a b', '-1'])('A4 may not have the version %j, which names a folder', version => {
    expect(() => describeToml(ofVersion(version))).toThrow('buildpack.version: has other characters than');
  });

  it('A4 is of a composite buildpack if it has an order, and then there are no programs', () => {
    const order =
      '[[order]]\n[[order.group]]\nid = "b"\nversion = "1.2.3"\n[[order.group]]\nid = "c"\noptional = true\n';
    expect(describeToml(head('a') + order, {}).order).toMatchObject([
      [
        { id: 'b', version: '1.2.3', optional: false },
        { id: 'c', optional: true },
      ],
    ]);
    expect(() => describeToml(head('a') + order, { 'bin/build': '' })).toThrow('has programs of its own');
  });

  it('A4 has an id that no other has, whatever the case of its letters', async () => {
    for (const id of ['a', 'A']) {
      mkdirSync(join(root, `from/${id}`), { recursive: true });
      writeFileSync(join(root, `from/${id}/buildpack.toml`), head(id));
      mkdirSync(join(root, `from/${id}/bin`));
      for (const name of Object.keys(programs))
        writeFileSync(join(root, `from/${id}`, name), '', { mode: 0o755 });
    }
    const layers = createLayerStore({ cache: join(root, 'cache'), layers: join(root, 'layers') });
    const loading = loadBuildpacks(join(root, 'from'), { layers, tmp: join(root, 'layers/tmp') });
    await expect(loading).rejects.toThrow(/Two buildpacks have the id [aA]\./);
  });

  it.each([
    ['no bin/detect', () => rmSync(join(root, 'bin/detect')), 'has no program bin/detect. Add it.'],
    ['no bin/build', () => rmSync(join(root, 'bin/build')), 'has no program bin/build. Add it.'],
    ['a folder for one', () => replaceByFolder('bin/build'), 'has a bin/build that is no file'],
    ['one that is not executable', () => chmodSync(join(root, 'bin/build'), 0o644), 'chmod +x bin/build'],
    [
      'one that was saved on Windows',
      () => writeFileSync(join(root, 'bin/detect'), '#!/bin/bash\r\nexit 0\r\n'),
      'has a bin/detect with the line ends of Windows',
    ],
  ])('is refused before anything runs where it has %s', (_what, spoil, message) => {
    describeToml(head('x/y'));
    spoil();
    expect(() => describeToml(head('x/y'), {})).toThrow('Buildpack x/y@1.2.3 has ');
    expect(() => describeToml(head('x/y'), {})).toThrow(message);
  });

  it('may have links and compiled programs', () => {
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin/detect'), Buffer.from('\x7fELF\r\n', 'latin1'), { mode: 0o755 });
    symlinkSync('/elsewhere', join(root, 'bin/build'));
    expect(describeToml(head('a'), {}).id).toBe('a');
  });

  const replaceByFolder = (name: string) => {
    rmSync(join(root, name));
    mkdirSync(join(root, name));
  };

  it('S7 is refused for an image extension, with what does its work', () => {
    expect(() => describeToml(head('a'), { 'extension.toml': '' })).toThrow(
      'Name system packages in an Aptfile',
    );
  });
});

describe('an order by name', () => {
  const known = new Map([['a', aBuildpack({ id: 'a' })]]);

  it('D5 refuses a version that is not there, naming the one that is', () => {
    expect(() => orderOf([[{ id: 'a', version: '9.9.9' }]], known)).toThrow(
      'Buildpack a is here as 1.2.3, not as 9.9.9.',
    );
    expect(orderOf([[{ id: 'a', version: '1.2.3' }]], known)[0]?.[0]?.buildpack.id).toBe('a');
  });

  it('D5 refuses a buildpack that is not there', () => {
    expect(() => orderOf([[{ id: 'b' }]], known)).toThrow('Buildpack b is missing');
  });
});

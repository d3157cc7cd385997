import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSboms } from '../../../src/build/lifecycle/sbom.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-sbom-'));
  mkdirSync(join(root, 'upper/x_y'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const cdx = 'application/vnd.cyclonedx+json';
const read = (files: string[], sbomFormats: string[] = [cdx, 'application/spdx+json']) => {
  for (const file of files) writeFileSync(join(root, 'upper/x_y', file), '{}');
  const view = { upper: join(root, 'upper'), restored: join(root, 'none'), restoredDir: () => undefined };
  return readSboms(view, { id: 'x/y', sbomFormats }).map(({ of, extension }) => `${of}: ${extension}`);
};

describe('bills of materials', () => {
  it('B8 are for layers, the launch or the build, in the formats that the buildpack names', () => {
    expect(read(['deps.sbom.cdx.json', 'launch.sbom.spdx.json', 'build.sbom.cdx.json', 'deps.toml'])).toEqual(
      ['build: cdx.json', 'deps: cdx.json', 'launch: spdx.json'],
    );
  });

  it.each([
    ['deps.sbom.json', 'deps.sbom.json of x/y is no bill of materials'],
    ['deps.sbom.xml', 'is no bill of materials'],
    ['deps.sbom.constructor', 'is no bill of materials'],
    ['deps.sbom.syft.json', 'Add application/vnd.syft+json to sbom-formats'],
  ])('B8 are refused as %s', (file, message) => {
    expect(() => read([file])).toThrow(message);
  });

  it('B8 are no links to files of the host', () => {
    symlinkSync('/etc/shadow', join(root, 'upper/x_y/launch.sbom.cdx.json'));
    expect(() => read([])).toThrow('is not a plain file');
  });
});

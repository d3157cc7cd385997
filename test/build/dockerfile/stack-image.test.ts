import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeLayout } from '../../../src/build/dockerfile/stack-image.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-layout-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('gives a Dockerfile the environment of the stack that the app is on', async () => {
  const layer = join(dir, 'layer');
  mkdirSync(layer);
  writeFileSync(join(layer, 'file'), 'content');
  const into = join(dir, 'layout');
  mkdirSync(into);
  await writeLayout({
    dir: into,
    layers: ['sha256:aa'],
    layerPath: () => layer,
    env: { PATH: '/opt/bin:/bin', COMPANY: 'yes' },
    signal: new AbortController().signal,
  });
  const blob = (digest: string) =>
    JSON.parse(readFileSync(join(into, 'blobs/sha256', digest.slice(7)), 'utf8'));
  const index = JSON.parse(readFileSync(join(into, 'index.json'), 'utf8'));
  const config = blob(blob(index.manifests[0].digest).config.digest);
  expect(config.config.Env).toEqual(['PATH=/opt/bin:/bin', 'COMPANY=yes']);
});

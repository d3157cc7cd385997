import { describe, expect, it } from 'vitest';
import { labelsOf } from '../../../src/build/lifecycle/labels.ts';
import { nothing } from '../../../src/build/lifecycle/layer-launch.ts';
import { mergeProcesses } from '../../../src/build/lifecycle/processes.ts';
import type { BuildpackRecord, LayerFlags } from '../../../src/build/lifecycle/record.ts';
import type { DiffId } from '../../../src/domain/image.ts';

const diffId = (digit: string): DiffId => `sha256:${digit.repeat(64)}`;
const flags = (names: string): LayerFlags => ({
  build: names.includes('build'),
  launch: names.includes('launch'),
  cache: names.includes('cache'),
});
const record = (cached: DiffId): BuildpackRecord => ({
  id: 'x/y',
  version: '1.2.3',
  api: '0.10',
  layers: [
    { name: 'deps', flags: flags('launch cache'), metadata: { n: 7 }, diffId: diffId('1'), launch: nothing },
    { name: 'downloads', flags: flags('cache'), metadata: {}, diffId: cached, launch: nothing },
  ],
  store: { kept: 'yes' },
  processes: [],
  labels: { mine: '1', 'io.buildpacks.stack.id': 'theirs' },
  slices: [],
});
const labels = (cached: DiffId = diffId('2')) =>
  labelsOf({
    stack: {
      stack: 'wherry-12',
      id: 'wherry-12',
      distro: { name: 'debian', version: '12' },
      run: [diffId('8'), diffId('9')],
    },
    runtimes: [],
    app: [diffId('3')],
    launcher: diffId('4'),
    buildpacks: [record(cached)],
    merged: mergeProcesses([]),
  });

describe("an image's labels", () => {
  it('E5 name stack, app, launcher and the launch layers of each buildpack', () => {
    expect(JSON.parse(labels()['io.buildpacks.lifecycle.metadata'] ?? '')).toEqual({
      app: [{ sha: diffId('3') }],
      config: { sha: diffId('4') },
      launcher: { sha: diffId('4') },
      buildpacks: [
        {
          key: 'x/y',
          version: '1.2.3',
          layers: { deps: { sha: diffId('1'), data: { n: 7 }, build: false, launch: true, cache: true } },
          store: { metadata: { kept: 'yes' } },
        },
      ],
      runImage: { topLayer: diffId('9'), reference: 'wherry-12' },
    });
  });

  it('E5 end with those of the buildpacks', () => {
    expect(labels()).toMatchObject({ mine: '1', 'io.buildpacks.stack.id': 'theirs' });
  });

  it('E9 do not change with what is only cached', () => {
    expect(labels(diffId('5'))).toEqual(labels(diffId('6')));
  });
});

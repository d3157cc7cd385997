import { describe, expect, it } from 'vitest';
import { fateOfLayer, fatesByContent } from '../../../src/build/explain/layer-fate.ts';

describe("a layer's fate", () => {
  const layer = { by: 'a/b', name: 'deps', before: 'sha256:1', now: 'sha256:1', written: false };

  it.each([
    ['reused', {}, 'its buildpack left it as it was'],
    ['rebuilt', { written: true, now: 'sha256:2' }, 'its buildpack wrote to it'],
    ['rebuilt', { written: true }, 'its buildpack made it again, with the same content'],
    ['new', { before: undefined, written: true }, 'the last build had none to give back'],
  ])('is %s with %j', (fate, change, why) => {
    expect(fateOfLayer({ ...layer, ...change })).toEqual({ layer: 'a/b:deps', by: 'a/b', fate, why });
  });

  it('is told by content where the platform makes it', () => {
    const before = [
      { layer: 'runtime node', id: '1' },
      { layer: 'source', id: '2' },
      { layer: 'launcher', id: '3' },
    ];
    const now = [
      { layer: 'source', id: '4' },
      { layer: 'launcher', id: '3' },
      { layer: 'runtime go', id: '5' },
    ];
    expect(fatesByContent(before, now).map(({ layer, fate }) => `${layer} ${fate}`)).toEqual([
      'source rebuilt',
      'launcher reused',
      'runtime go new',
      'runtime node gone',
    ]);
  });
});

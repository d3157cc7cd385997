import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createEngine } from '../../src/engine/index.ts';
import { silentLog } from '../../src/system/log.ts';
import { busyboxLayer, makeBusyboxLayer } from '../engine/busybox-layer.ts';
import { engineContract } from './engine.ts';

const layers = await mkdtemp(join(tmpdir(), 'wherry-layer-'));
const tag = randomBytes(4).toString('hex');
await makeBusyboxLayer(join(layers, 'busybox'));
afterAll(() => rm(layers, { recursive: true, force: true }));

const create = (root: string) =>
  createEngine('runc', {
    root,
    tag,
    layerPath: () => join(layers, 'busybox'),
    layerRoots: [layers],
    buildRoots: [join(root, 'sandbox')],
    log: silentLog,
  });

engineContract({
  name: 'runc',
  layers: [busyboxLayer],
  create,
  again: (_, root) => create(root),
});

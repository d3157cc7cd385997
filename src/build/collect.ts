import type { DiffId, Image } from '../domain/image.ts';
import { classicLayersOf, readClassicRecord } from './classic/record.ts';
import { appsWithRecords, layersOf, readRecord } from './lifecycle/record.ts';
import { rememberedLayers } from './oci/memory.ts';

/** Layers that must stay: those of images that releases name, and those that apps' next builds start from. */
export function layersHeld(builds: string, images: readonly Image[]): ReadonlySet<DiffId> {
  const apps = appsWithRecords(builds);
  return new Set([
    ...images.flatMap(image => image.layers),
    ...apps.flatMap(app => readRecord(builds, app) ?? []).flatMap(layersOf),
    ...apps.flatMap(app => readClassicRecord(builds, app) ?? []).flatMap(classicLayersOf),
    ...apps.flatMap(app => rememberedLayers(builds, app)),
  ]);
}

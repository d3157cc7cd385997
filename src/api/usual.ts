import type { BodyLimits } from './body.ts';
import type { StreamTimes } from './stream.ts';

/** Of a body of JSON: all config of an app fits, an archive goes another way. */
export const usualLimits: BodyLimits = { bytes: 2 ** 20, patience: 30_000 };
/** A client that takes nothing for two minutes is gone, or will not come back. */
export const usualTimes: StreamTimes = { heartbeat: 15_000, missed: 8 };

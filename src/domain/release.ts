import type { ImageId } from './image.ts';

export type ReleaseStatus = 'pending' | 'live' | 'superseded' | 'failed';

/** Immutable but for its status: image, config and processes together, so that a rollback brings all three back. */
export type Release = {
  readonly appId: number;
  /** 1, 2, 3 ... per app. */
  readonly version: number;
  readonly image: ImageId;
  readonly status: ReleaseStatus;
  readonly description: string;
  readonly actor: string;
  readonly commit: string | null;
  /** The image of a registry that it was deployed from, as it was named; null where it was built or sent. */
  readonly sourceImage: string | null;
  readonly createdAt: Date;
};

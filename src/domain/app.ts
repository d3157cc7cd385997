import type { AppName } from './names.ts';

export type App = {
  /** Row id; stays when the app is renamed. */
  readonly id: number;
  readonly name: AppName;
  readonly createdAt: Date;
  /** The branch whose pushes build; null until the first push sets it. */
  readonly deployBranch: string | null;
  /** Stopped by hand (`ps:stop`): nothing of it is started again until `ps:start` or a deploy. */
  readonly stopped: boolean;
};

import { type Driver, groupPath, sandboxGroup } from './driver.ts';

/** All builds together never weigh more than one app. */
const most = 100;

type Shares = Pick<Driver, 'cgroups' | 'cgroupRoot' | 'sandboxShares'>;

/**
 * Sets what a sandbox gets of a busy CPU. Its group stands beside the groups of apps with the sum of its sandboxes' shares: one
 * alone in it would otherwise have all of a whole app's share, whatever its own is.
 */
export function takeShare(driver: Shares, id: string, percent: number): void {
  driver.cgroups.setCpuShare(groupPath(driver, sandboxGroup, id), percent);
  driver.sandboxShares.set(id, percent);
  weigh(driver);
}

export function giveShareBack(driver: Shares, id: string): void {
  if (driver.sandboxShares.delete(id)) weigh(driver);
}

function weigh(driver: Shares): void {
  const sum = [...driver.sandboxShares.values()].reduce((total, share) => total + share, 0);
  if (sum > 0) driver.cgroups.setCpuShare(groupPath(driver, sandboxGroup), Math.min(most, sum));
}

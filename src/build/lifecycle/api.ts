/** Cloud Native Buildpacks, Buildpack API: the versions whose rules this lifecycle follows. */
export const supportedApis: readonly string[] = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'];

/** Whether a supported API version is 0.`minor` or newer. */
export function apiAtLeast(api: string, minor: number): boolean {
  return Number(api.split('.')[1]) >= minor;
}

/** Formats of archives that source code comes in. */
export const archiveTypes = ['tar', 'tar.gz', 'zip'] as const;
export type ArchiveType = (typeof archiveTypes)[number];

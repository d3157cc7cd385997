import { fileURLToPath } from 'node:url';

/** The folder of this program's files. Compiled ones lie in dist/src, sources in src. */
export const programRoot = fileURLToPath(
  new URL(import.meta.url.includes('/dist/src/') ? '../../../' : '../../', import.meta.url),
);

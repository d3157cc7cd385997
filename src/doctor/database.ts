import { about, type Finding } from './finding.ts';

const { ok, fail } = about('database');

/** @param damage what is wrong with its pages or indexes, in SQLite's words */
export function checkDatabase({ damage }: { readonly damage: string | undefined }): Finding {
  if (damage === undefined) return ok('All pages and indexes of the database are as they should be');
  return fail(
    `The database is damaged: ${damage}`,
    'Look at the disk, stop the daemon and put back the newest copy: wherry database restore. It says what is lost by that.',
  );
}

import type { Database } from 'better-sqlite3';
import { faultPoint } from '../system/fault.ts';
import { labelBytes, type Place, type Seal } from './seal.ts';

/** Every column that holds sealed values, and the columns that make up the place of one. */
export const sealedColumns = [
  { table: 'config', column: 'sealed', names: ['app_id', 'key'] },
  { table: 'global_config', column: 'sealed', names: ['key'] },
  { table: 'releases', column: 'config', names: ['app_id', 'version'] },
  { table: 'credentials', column: 'sealed', names: ['kind', 'scope', 'host'] },
  { table: 'certificates', column: 'key', names: ['id'] },
  { table: 'acme_accounts', column: 'key', names: ['server', 'email'] },
  { table: 'acme_hosts', column: 'pending', names: ['app_id', 'host'] },
  { table: 'plugin_secrets', column: 'sealed', names: ['plugin', 'name', 'app_id'] },
  { table: 'api_answers', column: 'sealed', names: ['actor', 'key'] },
] as const;

/** Gives SQL what seals anew. `bound` is for values of before they had places, `resealed` for a change of keys. */
export function addSealFunctions(db: Database, seal: Seal): void {
  const options = { varargs: true, directOnly: true } as const;
  const again =
    (open: (sealed: Buffer, place: Place) => string) =>
    (sealed: unknown, ...place: unknown[]) =>
      Buffer.isBuffer(sealed)
        ? seal.seal(open(sealed, place as unknown as Place), place as unknown as Place)
        : null;
  db.function(
    'bound',
    options,
    again(sealed => seal.openUnlabelled(sealed)),
  );
  db.function('resealed', options, again(seal.open));
}

/** @throws failed when a value is sealed with a key that is not there */
export function checkLabels(db: Database, seal: Seal): void {
  for (const { table, column } of sealedColumns) {
    const labels = db
      .prepare<[], { label: Buffer }>(
        `SELECT DISTINCT substr(${column}, 1, ${labelBytes}) AS label FROM ${table} WHERE ${column} IS NOT NULL`,
      )
      .all();
    for (const { label } of labels) seal.checkLabel(label);
  }
}

/**
 * All that lies sealed in the database, and the change of its key.
 * @param renewCopies makes copies of the database anew, for those there are will not be readable
 */
export function sealedValues(db: Database, seal: Seal, renewCopies: (at: Date) => void) {
  let running: Promise<number> | undefined;
  const updates = sealedColumns.map(({ table, column, names }) =>
    db.prepare<[Buffer]>(
      `UPDATE ${table} SET ${column} = resealed(${column}, '${table}', ${names.join(', ')})
       WHERE substr(${column}, 1, ${labelBytes}) <> ?`,
    ),
  );

  /** Whatever stops it: what is sealed with either key opens, for the file keeps both until the end. */
  async function finish(at: Date): Promise<number> {
    let count = 0;
    for (const update of updates) {
      count += update.run(seal.label()).changes;
      await faultPoint('secrets:some');
      // A table at a time: requests get their turn in between.
      await new Promise(resolve => setImmediate(resolve));
    }
    // Pages that are free now still hold what the old key opens.
    db.exec('VACUUM');
    db.pragma('wal_checkpoint(TRUNCATE)');
    renewCopies(at);
    await faultPoint('secrets:all');
    seal.dropOtherKeys();
    return count;
  }

  async function rotate(at: Date): Promise<number> {
    if (!seal.isRotating()) seal.addKey();
    await faultPoint('secrets:key');
    return await finish(at);
  }

  const once = (work: () => Promise<number>): Promise<number> => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    /** Seals everything with a new key and forgets the old one; goes on with a change that was cut off. Resolves with how many values. */
    rotate: (at: Date) => once(() => rotate(at)),
    /** Ends a change of keys that was cut off, if there is one. */
    settle: async (at: Date): Promise<void> => {
      if (seal.isRotating()) await once(() => finish(at));
    },
  };
}

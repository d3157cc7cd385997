import type { Database } from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';
import type { Image, ImageId } from '../domain/image.ts';

export function imagesStore(db: Database) {
  const put = db.prepare<[string, string]>(
    'INSERT INTO images (id, json) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const byId = db.prepare<[string], { json: string }>('SELECT json FROM images WHERE id = ?');
  const all = db.prepare<[], { json: string }>('SELECT json FROM images');
  const prune = db.prepare('DELETE FROM images WHERE id NOT IN (SELECT image FROM releases)');
  return {
    put: (image: Image): void => void put.run(image.id, JSON.stringify(image)),
    /** @throws not-found */
    get(id: ImageId): Image {
      const row = byId.get(id);
      if (!row) throw new WherryError('not-found', `Image ${id} is not known any more. Push the app again.`);
      return JSON.parse(row.json) as Image;
    },
    list: (): Image[] => all.all().map(row => JSON.parse(row.json) as Image),
    /** Forgets images that no release names. */
    prune: (): void => void prune.run(),
  };
}

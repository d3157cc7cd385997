import { formatBytes } from '../domain/bytes.ts';
import type { AppName } from '../domain/names.ts';
import type { Volumes } from '../volumes.ts';

/** Of its size, less than this part free is full. */
const little = 0.02;

/** Tells once of each volume that fills up, and again after it had room. */
export function createVolumeWatch(
  volumes: Pick<Volumes, 'sized'>,
  tell: (app: AppName | undefined, message: string) => void,
): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    for (const { name, apps, room } of await volumes.sized()) {
      const full = room.free < room.size * little;
      if (full && !told.has(name)) {
        const size = formatBytes(room.size);
        const message = `Storage ${name} is full: it has a size of ${size}. Give it more, as in "storage:set ${name} size ${formatBytes(2 * room.size)}", or delete what is not needed.`;
        for (const app of apps.length > 0 ? apps : [undefined]) tell(app, message);
      }
      if (full) told.add(name);
      else told.delete(name);
    }
  };
}

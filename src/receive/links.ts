import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

/** As the kernel's: more hops than this count as a loop. */
const mostHops = 40;

/**
 * Refuses a symbolic link that leads out of the repository: absolute, or escaping on its way, other links of the
 * repository followed as the kernel would. Links to nothing and loops stay: they lead nowhere.
 * @throws invalid naming the link
 */
export function checkLinks(links: ReadonlyMap<string, string>): void {
  for (const [path, target] of links) {
    if (escapes(path, links)) {
      throw new WherryError(
        'invalid',
        `Symbolic link ${quoteForPeople(path)} points out of the repository, to ${quoteForPeople(target)}. Remove it, or make it relative to a file inside.`,
      );
    }
  }
}

function escapes(link: string, links: ReadonlyMap<string, string>): boolean {
  const done: string[] = [];
  const todo = link.split('/').reverse();
  let hops = 0;
  while (todo.length > 0) {
    const part = todo.pop();
    if (part === undefined || part === '' || part === '.') continue;
    if (part === '..') {
      if (done.pop() === undefined) return true;
      continue;
    }
    done.push(part);
    const target = links.get(done.join('/'));
    if (target === undefined) continue;
    hops += 1;
    if (hops > mostHops) return false;
    if (target.startsWith('/')) return true;
    done.pop();
    todo.push(...target.split('/').reverse());
  }
  return false;
}

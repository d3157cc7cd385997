import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

/** As the kernel's: more hops than this count as a loop. */
const mostHops = 40;
/** Path components looked at for all links together, so that a repository of links cannot hold up the daemon. */
const mostSteps = 5_000_000;

/** The links' paths as a tree: folders that hold none are not in it. */
type Node = { readonly children: Map<string, Node>; target?: string };

/**
 * Refuses a symbolic link that leads out of the repository: absolute, or escaping on its way, other links of the
 * repository followed as the kernel would. Links to nothing and loops stay: they lead nowhere.
 * @throws invalid naming the link
 */
export function checkLinks(links: ReadonlyMap<string, string>): void {
  const root = plant(links);
  const budget = { steps: mostSteps };
  for (const [path, target] of links) {
    if (!escapes(path, root, budget)) continue;
    throw new WherryError(
      'invalid',
      `Symbolic link ${quoteForPeople(path)} points out of the repository, to ${quoteForPeople(target)}. Remove it, or make it relative to a file inside.`,
    );
  }
}

function plant(links: ReadonlyMap<string, string>): Node {
  const root: Node = { children: new Map() };
  for (const [path, target] of links) {
    let node = root;
    for (const part of path.split('/')) {
      const child = node.children.get(part) ?? { children: new Map() };
      node.children.set(part, child);
      node = child;
    }
    node.target = target;
  }
  return root;
}

function escapes(link: string, root: Node, budget: { steps: number }): boolean {
  /** The folders entered so far; undefined is one without links. */
  const inside: (Node | undefined)[] = [root];
  const todo = link.split('/').reverse();
  let hops = 0;
  while (todo.length > 0) {
    const part = todo.pop();
    budget.steps -= 1;
    if (budget.steps < 0) {
      throw new WherryError(
        'invalid',
        'The symbolic links of the repository are too many to check. Remove some.',
      );
    }
    if (part === undefined || part === '' || part === '.') continue;
    if (part === '..') {
      inside.pop();
      if (inside.length === 0) return true;
      continue;
    }
    const node = inside.at(-1)?.children.get(part);
    if (node?.target === undefined) {
      inside.push(node);
      continue;
    }
    hops += 1;
    if (hops > mostHops) return false;
    if (node.target.startsWith('/')) return true;
    todo.push(...node.target.split('/').reverse());
  }
  return false;
}

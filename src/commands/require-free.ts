import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { Domain } from '../domain/names.ts';
import { seesApp } from './authorise.ts';
import type { Context } from './context.ts';

/**
 * That a domain is used must be told to whoever wants it; by which app, only who may see that. The store names it.
 * @throws conflict for a domain of an app that the actor may not see
 */
export function requireFree({ store, actor }: Context, owner: App, domains: readonly Domain[]): void {
  for (const domain of domains) {
    const other = store.domains.owner(domain);
    if (other === undefined || other === owner.name || seesApp(actor, other, store)) continue;
    throw new WherryError('conflict', `Domain ${domain} is already used by another app. Choose another.`);
  }
}

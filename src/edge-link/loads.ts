import type { AppLoad } from '../domain/route.ts';

type Said = { readonly load: AppLoad; readonly at: number; readonly usedAt: number };

/** Milliseconds after which what an edge said of an app is over: it says again each second while there is something. */
const fresh = 1500;
/** More apps than a host can have: an edge that makes them up starts over. */
const maxApps = 20_000;

/** Adds up what several edges count, so that an app's numbers are exact whichever of them its visitors reached. */
export class Loads<Edge> {
  readonly #byEdge = new Map<Edge, Map<string, Said>>();

  /** @returns the apps that this edge spoke of, as they are over all edges; `requests` are its own, so that each is told once */
  take(edge: Edge, { apps, now }: { apps: readonly AppLoad[]; now: number }): AppLoad[] {
    const known = this.#byEdge.get(edge);
    const mine = known && known.size < maxApps ? known : new Map<string, Said>();
    this.#byEdge.set(edge, mine);
    for (const load of apps) mine.set(load.app, { load, at: now, usedAt: now - load.idle });
    return apps.map(load => this.#sum(load, now));
  }

  drop(edge: Edge): void {
    this.#byEdge.delete(edge);
  }

  #sum(own: AppLoad, now: number): AppLoad {
    const all = [...this.#byEdge.values()].flatMap(said => said.get(own.app) ?? []);
    const current = all.filter(({ at }) => at > now - fresh).map(({ load }) => load);
    const total = (of: (load: AppLoad) => number) => current.reduce((sum, load) => sum + of(load), 0);
    return {
      app: own.app,
      inFlight: total(load => load.inFlight),
      waiting: total(load => load.waiting),
      mean: total(load => load.mean),
      requests: own.requests,
      idle: Math.min(...all.map(({ usedAt }) => now - usedAt)),
    };
  }
}

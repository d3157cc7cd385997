import type { HoldPolicy, WakeCause } from '../domain/route.ts';
import { Allowance } from './allowance.ts';
import { appsWaking, stillAsleep, tooManyWait, waking } from './page-texts.ts';
import type { Page } from './pages.ts';
import type { AppRoute, RouteTable } from './routes.ts';

/** A request whose app sleeps. Its body is unread, and its client was not told to send one. */
export interface Waiter {
  readonly cause: WakeCause;
  /** The app sleeps no longer: it serves, or will not for now, or is gone. */
  proceed(route: AppRoute | undefined): void;
}

export type GateOptions = {
  /** Asks for an instance of the app. */
  readonly wake: (app: string, cause: WakeCause) => void;
};

/** Requests that wait in all. */
const hostQueue = 2000;
/** A scan of all names must not wake all apps. */
const wakes = { burst: 50, perSecond: 1 };

type Queue = { readonly waiters: Set<Waiter>; asked: boolean };

/** Where requests wait for apps that sleep: bounded, oldest first, and one call for each app however many wait. */
export class Gate {
  readonly #options: GateOptions;
  readonly #queues = new Map<string, Queue>();
  readonly #allowance = new Allowance(wakes);
  #waiting = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Lets the request wait until `proceed` or `leave`. @returns what to answer it with when it may not */
  enter(waiter: Waiter, route: AppRoute): Page | undefined {
    const { app, hold } = route;
    const queue = this.#queues.get(app);
    if (this.#waiting >= hostQueue) return appsWaking;
    if (hold && queue && queue.waiters.size >= hold.queue) return tooManyWait(app);
    this.#waiting++;
    route.count.usage.waiting++;
    if (queue) queue.waiters.add(waiter);
    else {
      this.#queues.set(app, { waiters: new Set([waiter]), asked: false });
      this.#ask(app);
    }
    return undefined;
  }

  /** Wakes the app for a visitor who is told to come again instead of waiting. */
  knock(app: string, cause: WakeCause): void {
    if (!this.#queues.has(app) && this.#allowance.take(cause.peer)) this.#options.wake(app, cause);
  }

  /** The client left, or has waited long enough. */
  leave(waiter: Waiter, route: AppRoute): void {
    const queue = this.#queues.get(route.app);
    if (!queue?.waiters.delete(waiter)) return;
    this.#waiting--;
    route.count.usage.waiting--;
    if (queue.waiters.size === 0) this.#queues.delete(route.app);
  }

  /** After the routes changed: lets go who waits for an app that sleeps no longer. */
  changed(table: RouteTable): void {
    for (const [app, { waiters }] of this.#queues) {
      const route = table.apps.get(app);
      if (route?.state === 'asleep') continue;
      for (const waiter of waiters) waiter.proceed(route);
    }
  }

  /** Asks again: control may have been away, or too many wakes under way for one visitor. */
  everySecond(): void {
    this.#allowance.everySecond();
    for (const app of this.#queues.keys()) this.#ask(app);
  }

  #ask(app: string): void {
    const queue = this.#queues.get(app);
    const [first] = queue?.waiters ?? [];
    if (!queue || !first) return;
    queue.asked ||= this.#allowance.take(first.cause.peer);
    if (queue.asked) this.#options.wake(app, first.cause);
  }
}

/** Whether a request neither wakes its app nor keeps it awake. */
export function isIgnored(
  hold: HoldPolicy | undefined,
  request: { readonly path: string; readonly agent: string },
): boolean {
  if (!hold) return false;
  const { ignorePaths, ignoreAgents } = hold;
  return (
    ignoreAgents.some(start => request.agent.startsWith(start)) ||
    ignorePaths.some(path =>
      path.endsWith('*') ? request.path.startsWith(path.slice(0, -1)) : request.path === path,
    )
  );
}

/** What a request that may not wait for its sleeping app is answered with; undefined when it waits. */
export function insteadOfWaiting(
  route: AppRoute,
  request: { method: string; accept: string; ignored: boolean },
): Page | undefined {
  if (request.ignored) return stillAsleep(route.app);
  const isBrowser = request.method === 'GET' && /text\/html/i.test(request.accept);
  return route.hold?.waitingPage && isBrowser ? waking(route.app) : undefined;
}

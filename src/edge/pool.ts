import type { Target } from '../domain/route.ts';
import { AppSessions } from './app-sessions.ts';
import { Connection, type ConnectionOwner, type ConnectionUser } from './connection.ts';

/** Requests that an instance has been sent and has not begun to answer; more wait here, in order. */
const maxUnanswered = 250;
const maxWaiting = 1000;
/** As many as may be unanswered: under load none is closed only to be opened again. The idle ones go within seconds. */
const maxFree = maxUnanswered;
/** Below the 5 s after which Node, gunicorn and others close an idle connection. */
const maxIdle = 4000;
/** For requests that may not be sent twice: hardly any peer closes a connection this soon. */
const maxIdleOnce = 1000;
/** Milliseconds for which a target that did not accept is passed over, where there is another. */
const quarantine = 2000;

export type Wish = {
  /** Not one that has been used before. */
  readonly fresh: boolean;
  /** The request may be sent a second time when an idle connection proves to be dead. */
  readonly repeatable: boolean;
};

/** The connections to one instance and the count of its requests in flight, websockets included. */
export class Pool implements ConnectionOwner {
  readonly target: Target;
  /** In no snapshot any more: takes no new request. */
  retired = false;
  /** Spoken to in HTTP/2. */
  h2c = false;
  inFlight = 0;
  requests = 0;
  readonly #onQuiet: (pool: Pool) => void;
  /** The one used last is last. */
  readonly #free: Connection[] = [];
  readonly #sessions: AppSessions;
  readonly #unanswered = new Set<ConnectionUser>();
  readonly #waiting: { user: ConnectionUser; wish: Wish }[] = [];
  #suspectUntil = 0;
  #limit = maxUnanswered;
  /** A limit that was asked for holds until answers end; the usual one only until they begin. */
  #strict = false;

  constructor(target: Target, onQuiet: (pool: Pool) => void) {
    this.target = target;
    this.#sessions = new AppSessions(target);
    this.#onQuiet = onQuiet;
  }

  get suspect(): boolean {
    return this.#suspectUntil > 0 && performance.now() < this.#suspectUntil;
  }

  /** @param limit requests that the instance is given at once; undefined for the usual */
  setHardLimit(limit: number | undefined): void {
    this.#limit = limit ?? maxUnanswered;
    this.#strict = limit !== undefined;
    this.#serveNext();
  }

  enter(): void {
    this.inFlight++;
    this.requests++;
  }

  leave(): void {
    this.inFlight--;
    if (this.inFlight === 0 && this.retired) this.#onQuiet(this);
  }

  /** Calls `ready` or `lost` of the user, now or later. @returns false when too many wait already */
  acquire(user: ConnectionUser, wish: Wish): boolean {
    if (this.#unanswered.size < this.#limit) this.#serve(user, wish);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push({ user, wish });
    else return false;
    return true;
  }

  /** The instance began to answer. */
  answered(user: ConnectionUser): void {
    if (!this.#strict) this.done(user);
  }

  /** The answer, or the tunnel, ended, or the user gave up. */
  done(user: ConnectionUser): void {
    if (this.#unanswered.delete(user)) this.#serveNext();
    else if (this.#waiting.length > 0) {
      const place = this.#waiting.findIndex(waiter => waiter.user === user);
      if (place >= 0) this.#waiting.splice(place, 1);
    }
  }

  refused(): void {
    this.#suspectUntil = performance.now() + quarantine;
  }

  released(connection: Connection, usable: boolean): void {
    if (usable && !this.retired && this.#free.length < maxFree) {
      connection.idleSince = performance.now();
      this.#free.push(connection);
      return;
    }
    const place = this.#free.indexOf(connection);
    if (place >= 0) this.#free.splice(place, 1);
    if (usable) connection.destroy();
  }

  /** Closes what has been idle too long. */
  sweep(now: number): void {
    while (this.#free[0] && now - this.#free[0].idleSince >= patience(this.#free[0], maxIdle))
      this.#free.shift()?.destroy();
    this.#sessions.sweep(now);
  }

  closeIdle(): void {
    for (const connection of this.#free.splice(0)) connection.destroy();
    this.#sessions.close();
  }

  #serveNext(): void {
    while (this.#waiting.length > 0 && this.#unanswered.size < this.#limit) {
      const next = this.#waiting.shift();
      if (next) this.#serve(next.user, next.wish);
    }
  }

  #serve(user: ConnectionUser, wish: Wish): void {
    this.#unanswered.add(user);
    if (this.h2c) {
      this.#sessions.serve(user);
      return;
    }
    const connection = wish.fresh ? undefined : this.#takeFree(wish);
    if (!connection) {
      new Connection(this, this.target, user);
      return;
    }
    connection.adopt(user);
    user.ready(connection);
  }

  #takeFree(wish: Wish): Connection | undefined {
    const connection = this.#free.at(-1);
    if (!connection) return undefined;
    const limit = patience(connection, wish.repeatable ? maxIdle : maxIdleOnce);
    if (connection.destroyed || performance.now() - connection.idleSince >= limit) return undefined;
    this.#free.pop();
    return connection;
  }
}

/** Milliseconds, shortened by a second below what the app says it keeps. */
function patience(connection: Connection, limit: number): number {
  const hint = connection.idleHint;
  return hint === undefined ? limit : Math.min(limit, Math.max(0, hint * 1000 - 1000));
}

/** The less busy of two taken at random, without those that just refused where there are others. */
export function pick(pools: readonly Pool[], not?: Pool): Pool | undefined {
  if (pools.length === 1) return pools[0];
  let able = pools.filter(pool => pool !== not && !pool.suspect);
  if (able.length === 0) able = pools.filter(pool => pool !== not);
  const at = Math.floor(Math.random() * able.length);
  const step = able.length > 1 ? 1 + Math.floor(Math.random() * (able.length - 1)) : 0;
  const first = able[at];
  const second = able[(at + step) % able.length];
  return first && second && second.inFlight < first.inFlight ? second : first;
}

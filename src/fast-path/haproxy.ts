import type { EdgePolicy, Listening, Routing } from '../domain/route.ts';
import type { Clock } from '../system/clock.ts';
import { every } from '../system/every.ts';
import type { Log } from '../system/log.ts';
import type { FastPath, OnLoad } from './fast-path.ts';
import { frontAddress, haproxyFiles, lanes, serverName, slots } from './haproxy-config.ts';
import { isHaproxy, runHaproxy } from './haproxy-process.ts';
import { command, type ServerStat, serverStats } from './haproxy-socket.ts';
import { type Lane, lanesOf } from './lanes.ts';
import { Seats } from './seats.ts';
import { Tally } from './tally.ts';

export type HaproxyFrontOptions = {
  readonly dir: string;
  /** The public address. */
  readonly listen: Listening;
  /** Where the edge listens; known once it runs. */
  readonly edge: () => Listening | undefined;
  readonly user: () => { readonly uid: number; readonly gid: number } | undefined;
  readonly onLoad: OnLoad;
  readonly clock: Clock;
  readonly log: Log;
};

export function createHaproxyFront(options: HaproxyFrontOptions): FastPath {
  return new HaproxyFront(options);
}

/** HAProxy before the edge. Control tells it who serves over its socket, and it is never reloaded. */
class HaproxyFront implements FastPath {
  readonly #options: HaproxyFrontOptions;
  readonly #files: ReturnType<typeof haproxyFiles>;
  #seats: Seats;
  #tally = new Tally();
  #lanes: ReadonlyMap<string, Lane> = new Map();
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #pid: number | undefined;
  /** Nobody knows what it serves: it was another control's, or missed a change. */
  #unclear = false;
  #watching: { close(): Promise<void> } | undefined;

  constructor(options: HaproxyFrontOptions) {
    this.#options = options;
    this.#files = haproxyFiles(options.dir);
    this.#seats = this.#noSeats();
  }

  async start(): Promise<void> {
    await this.#inTurn(() => this.#run());
    const { clock, log } = this.#options;
    this.#watching = every(1000, () => this.#inTurn(() => this.#tick()), { clock, log });
  }

  publish(routing: Routing): Promise<void> {
    return this.#inTurn(async () => {
      this.#lanes = lanesOf(routing, { slots });
      // The edge serves all that HAProxy was not told, and the next look tells it.
      const stats = await this.#settle().catch(error => {
        this.#options.log.warn({ err: error }, 'HAProxy missed a change');
        return [];
      });
      this.#tally.meet(this.#inLanes(stats), this.#options.clock.ticks());
    });
  }

  async drained(targets: readonly string[], timeout: number): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.ticks() + timeout;
    while (!this.quiet(targets) && clock.ticks() < deadline) {
      await clock.sleep(100);
      await this.#inTurn(() => this.#settle()).catch(() => {});
    }
  }

  quiet(targets: readonly string[]): boolean {
    return this.#pid === undefined || targets.every(target => this.#seats.isQuiet(target));
  }

  policy(own: EdgePolicy | undefined): EdgePolicy {
    const { host } = this.#options.listen;
    return { ...own, trustedProxies: [`${frontAddress}/32`], proxyProtocol: true, portsAt: host };
  }

  async leave(): Promise<void> {
    await this.#watching?.close();
    await this.#turn.catch(() => {});
  }

  async #run(): Promise<void> {
    const { dir, listen, clock, log } = this.#options;
    const edge = this.#options.edge();
    if (!edge) throw new Error('the front was started before the edge');
    const { pid, adopted } = await runHaproxy({ dir, listen, edge, user: this.#options.user(), clock });
    this.#pid = pid;
    this.#seats = this.#noSeats();
    this.#tally = new Tally();
    this.#unclear = adopted;
    await this.#settle();
    log.info({ pid, adopted, http: listen }, 'HAProxy is in front of the edge');
  }

  async #tick(): Promise<void> {
    const { dir, log, onLoad, clock } = this.#options;
    if (this.#pid === undefined || !(await isHaproxy(dir, this.#pid))) {
      this.#pid = undefined;
      log.error({}, 'HAProxy ended; starting it again');
      await this.#run();
    }
    const stats = await this.#settle();
    const loads = this.#tally.take(this.#inLanes(stats), clock.ticks());
    if (loads.length > 0) onLoad(loads);
  }

  /** Makes what is so what should be so, and reads how much is in flight. */
  async #settle(): Promise<ServerStat[]> {
    if (this.#pid === undefined) return [];
    const { socket } = this.#files;
    try {
      if (this.#unclear) await command(socket, this.#seats.clear());
      this.#unclear = false;
      const now = this.#options.clock.ticks();
      await command(socket, this.#seats.seat(this.#lanes, now));
      const stats = await serverStats(socket, this.#seats.used());
      await command(socket, this.#seats.count(stats, now));
      return stats;
    } catch (error) {
      this.#unclear = true;
      this.#seats = this.#noSeats();
      this.#seats.clear();
      throw error;
    }
  }

  #inLanes(stats: readonly ServerStat[]): Map<string, { current: number; total: number }> {
    const sums = new Map<string, { current: number; total: number }>();
    const own = new Set(Array.from({ length: slots }, (_, at) => serverName(at + 1)));
    for (const { backend, server, current, total } of stats) {
      const app = this.#seats.appOf(backend);
      if (app === undefined || !own.has(server)) continue;
      const sum = sums.get(app) ?? { current: 0, total: 0 };
      sums.set(app, { current: sum.current + current, total: sum.total + total });
    }
    return sums;
  }

  #noSeats(): Seats {
    return new Seats({ lanes, slots, map: this.#files.map });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.catch(() => {}).then(work);
    this.#turn = done;
    done.catch(() => {});
    return done;
  }
}

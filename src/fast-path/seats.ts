// Which app has which lane, and which instance which server of it. Pure: what changes is said as commands, in an order in which
// no request is lost: new servers first, then hosts, then those that go.
import type { Target } from '../domain/route.ts';
import { laneName, serverName } from './haproxy-config.ts';
import type { ServerStat } from './haproxy-socket.ts';
import type { Lane } from './lanes.ts';

type Seat = {
  /** Undefined: nobody's, or of one that a control before this one knew. */
  target: Target | undefined;
  /** `draining` gets no new request and is free once it has none. */
  state: 'free' | 'ready' | 'draining';
};

type Row = {
  app: string | undefined;
  hosts: readonly string[];
  /** Monotonic milliseconds. */
  leftAt: number;
  readonly seats: Seat[];
};

/** Milliseconds until a lane is another app's: a request that is tried once more finds the lane by its number. */
const rest = 10_000;

export class Seats {
  readonly #rows: Row[];
  readonly #map: string;

  constructor({ lanes, slots, map }: { lanes: number; slots: number; map: string }) {
    this.#map = map;
    this.#rows = Array.from({ length: lanes }, () => ({
      app: undefined,
      hosts: [],
      leftAt: Number.NEGATIVE_INFINITY,
      seats: Array.from({ length: slots }, (): Seat => ({ target: undefined, state: 'free' })),
    }));
  }

  /** Takes over from a control that is gone: all goes to the edge, and what is in flight comes to its end. */
  clear(): string[] {
    const commands = [`clear map ${this.#map}`];
    this.#each((row, seat, server) => {
      row.app = undefined;
      row.hosts = [];
      seat.target = undefined;
      seat.state = 'draining';
      commands.push(`set server ${server} state drain`);
    });
    return commands;
  }

  /** @returns what makes it so that exactly these are served */
  seat(lanes: ReadonlyMap<string, Lane>, now: number): string[] {
    const ready: string[] = [];
    const going: string[] = [];
    const left: string[] = [];
    const joined: string[] = [];
    const name = (at: number, hosts: readonly string[]) => {
      const change = this.#name(at, hosts);
      left.push(...change.left);
      joined.push(...change.joined);
    };
    for (const [at, row] of this.#rows.entries()) {
      const lane = row.app === undefined ? undefined : lanes.get(row.app);
      going.push(...this.#drain(at, lane?.targets ?? []));
      if (!lane) name(at, []);
    }
    for (const [app, lane] of lanes) {
      const at = this.#placeOf(app, now);
      if (at === undefined) continue;
      const commands = this.#fill(at, lane.targets);
      // One that has no room for all would give too much to the rest.
      if (!commands) going.push(...this.#drain(at, []));
      ready.push(...(commands ?? []));
      name(at, lane.hosts);
    }
    // A host that changes hands is taken from one before the other gets it: the second word would undo the first.
    return [...ready, ...left, ...joined, ...going];
  }

  /** @returns what puts those to rest that have no request any more */
  count(stats: readonly ServerStat[], now: number): string[] {
    const currents = new Map(stats.map(({ backend, server, current }) => [`${backend}/${server}`, current]));
    const commands: string[] = [];
    this.#each((_row, seat, server) => {
      if (seat.state !== 'draining' || (currents.get(server) ?? 0) > 0) return;
      seat.state = 'free';
      seat.target = undefined;
      commands.push(`set server ${server} state maint`);
    });
    for (const row of this.#rows) {
      const over = row.hosts.length === 0 && row.seats.every(({ state }) => state === 'free');
      if (row.app === undefined || !over) continue;
      row.app = undefined;
      row.leftAt = now;
    }
    return commands;
  }

  /** Whether a target has no request here, nor can get one. */
  isQuiet(target: string): boolean {
    return this.#rows.every(({ seats }) =>
      seats.every(seat => seat.state === 'free' || (seat.target !== undefined && seat.target.id !== target)),
    );
  }

  /** The lanes that serve somebody, or have something to end. */
  used(): string[] {
    return this.#rows.flatMap((row, at) => {
      const used = row.app !== undefined || row.seats.some(({ state }) => state !== 'free');
      return used ? [laneName(at + 1)] : [];
    });
  }

  /** Whose requests a server of HAProxy's has. */
  appOf(backend: string): string | undefined {
    return this.#rows[Number(backend.slice(laneName(0).length - 1)) - 1]?.app;
  }

  #placeOf(app: string, now: number): number | undefined {
    const known = this.#rows.findIndex(row => row.app === app);
    if (known >= 0) return known;
    const at = this.#rows.findIndex(
      row =>
        row.app === undefined && now - row.leftAt >= rest && row.seats.every(({ state }) => state === 'free'),
    );
    const row = this.#rows[at];
    if (row) row.app = app;
    return row && at;
  }

  /** Gives each target a server; undefined when there are too few that are free. */
  #fill(at: number, targets: readonly Target[]): string[] | undefined {
    const seats = this.#rows[at]?.seats ?? [];
    const seatOf = (target: Target) => seats.findIndex(seat => seat.target && isSame(seat.target, target));
    const free = seats.filter(({ state }) => state === 'free').length;
    if (targets.filter(target => seatOf(target) < 0).length > free) return undefined;
    const commands: string[] = [];
    for (const target of targets) {
      const known = seatOf(target);
      const place = known >= 0 ? known : seats.findIndex(seat => seat.state === 'free');
      const seat = seats[place];
      if (!seat) continue;
      const server = serverOf(at, place);
      if (known < 0) commands.push(`set server ${server} addr ${target.host} port ${target.port}`);
      if (seat.state !== 'ready') commands.push(`set server ${server} state ready`);
      seat.target = target;
      seat.state = 'ready';
    }
    return commands;
  }

  #drain(at: number, wanted: readonly Target[]): string[] {
    return (this.#rows[at]?.seats ?? []).flatMap((seat, place) => {
      const { target } = seat;
      if (seat.state !== 'ready' || (target && wanted.some(each => isSame(each, target)))) return [];
      seat.state = 'draining';
      return [`set server ${serverOf(at, place)} state drain`];
    });
  }

  /** Leads these hosts to the lane, and no others. */
  #name(at: number, hosts: readonly string[]): { left: string[]; joined: string[] } {
    const row = this.#rows[at];
    const [before, after] = [new Set(row?.hosts), new Set(hosts)];
    if (row) row.hosts = hosts;
    return {
      left: [...before].filter(host => !after.has(host)).map(host => `del map ${this.#map} ${host}`),
      joined: [...after]
        .filter(host => !before.has(host))
        .map(host => `add map ${this.#map} ${host} ${laneName(at + 1)}`),
    };
  }

  #each(visit: (row: Row, seat: Seat, server: string) => void): void {
    for (const [at, row] of this.#rows.entries())
      for (const [place, seat] of row.seats.entries()) visit(row, seat, serverOf(at, place));
  }
}

function serverOf(at: number, place: number): string {
  return `${laneName(at + 1)}/${serverName(place + 1)}`;
}

function isSame(one: Target, other: Target): boolean {
  return one.id === other.id && one.host === other.host && one.port === other.port;
}

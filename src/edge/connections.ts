import type { Socket } from 'node:net';

export type ConnectionLimits = {
  /** Client connections at once, from everywhere. */
  readonly total: number;
  /** Of one IPv4 address or one IPv6 /64; this host itself and trusted proxies have no limit of their own. */
  readonly perAddress: number;
};

export const defaultLimits: ConnectionLimits = { total: 20_000, perAddress: 1000 };

export type Excess = 'too-many-connections' | 'too-many-from-address';

/** The client connections there are, counted so that neither one address nor all of them together take the process. */
export class Connections {
  #limits: ConnectionLimits;
  /** Closes idle connections: what keeps a connection for later makes room for who comes now. */
  readonly #makeRoom: () => void;
  readonly #sockets = new Set<Socket>();
  readonly #secured = new Set<Socket>();
  /** By the client's address and port: what lies under TLS has the same. */
  readonly #tunnels = new Set<string>();
  readonly #networks = new Map<string, number>();
  #madeRoomAt = Number.NEGATIVE_INFINITY;

  constructor(limits: ConnectionLimits, makeRoom: () => void) {
    this.#limits = limits;
    this.#makeRoom = makeRoom;
  }

  /** Those that there are stay, also beyond new limits. */
  limit(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Those whose TLS is taken off stand beside what is under it. */
  get all(): readonly Socket[] {
    return [...this.#sockets, ...this.#secured];
  }

  /** Its TLS was taken off; what is under it was counted before. */
  secured(socket: Socket): void {
    this.#secured.add(socket);
    socket.once('close', () => this.#secured.delete(socket));
  }

  tunnel(socket: Socket): void {
    const name = nameOf(socket);
    this.#tunnels.add(name);
    socket.once('close', () => this.#tunnels.delete(name));
  }

  isTunnel(socket: Socket): boolean {
    return this.#tunnels.has(nameOf(socket));
  }

  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  /** Counts a new connection until it closes. @returns why it is one too many */
  add(socket: Socket): Excess | undefined {
    if (this.#sockets.size >= this.#limits.total) {
      this.#tryMakeRoom();
      if (this.#sockets.size >= this.#limits.total) return 'too-many-connections';
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return undefined;
  }

  /** Counts a connection for its address, once that is known. @returns why it is one too many */
  addFrom(socket: Socket, address: string): Excess | undefined {
    const network = networkOf(address);
    if (network === undefined) return undefined;
    const count = (this.#networks.get(network) ?? 0) + 1;
    if (count > this.#limits.perAddress) return 'too-many-from-address';
    this.#networks.set(network, count);
    socket.once('close', () => this.#leave(network));
    return undefined;
  }

  #leave(network: string): void {
    const count = (this.#networks.get(network) ?? 1) - 1;
    if (count > 0) this.#networks.set(network, count);
    else this.#networks.delete(network);
  }

  #tryMakeRoom(): void {
    const now = performance.now();
    if (now - this.#madeRoomAt < 1000) return;
    this.#madeRoomAt = now;
    this.#makeRoom();
    // What is closed tells so a moment later.
    for (const socket of this.#sockets) if (socket.destroyed) this.#sockets.delete(socket);
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** What counts as one visitor; undefined for this host itself. */
function networkOf(address: string): string | undefined {
  if (address.startsWith('127.') || address === '::1') return undefined;
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  if (back !== undefined) {
    const tail = back === '' ? 0 : back.split(':').length;
    while (groups.length < 8 - tail) groups.push('0');
  }
  return groups.slice(0, 4).join(':');
}

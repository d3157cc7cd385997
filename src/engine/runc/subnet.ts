/** A /16 of private addresses for one data directory's bridge. The host has .0.1, namespace number n has n. */
export type Subnet = {
  /** First two octets: `10.87`. */
  readonly prefix: string;
};

export const firstNamespace = 2;
/** Number of the last usable namespace: x.y.255.254. */
export const lastNamespace = 0xfffe;

const firstCandidate = 87;
const candidates = 100;

export const gatewayOf = (subnet: Subnet): string => addressOf(subnet, 1);
export const rangeOf = (subnet: Subnet): string => `${subnet.prefix}.0.0/16`;

export function addressOf(subnet: Subnet, number: number): string {
  return `${subnet.prefix}.${number >> 8}.${number & 0xff}`;
}

/**
 * The first 10.87.0.0/16 .. 10.186.0.0/16 that no route of the host and no name server lies in; `seed` spreads data
 * directories over them, so that two that start at once do not take the same.
 */
export function chooseSubnet(options: {
  routes: readonly Route[];
  nameServers: readonly string[];
  seed: number;
}): Subnet | undefined {
  for (let step = 0; step < candidates; step += 1) {
    const second = firstCandidate + ((options.seed + step) % candidates);
    const prefix = `10.${second}`;
    const taken =
      options.routes.some(route => !route.isDefault && overlaps(route, second)) ||
      options.nameServers.some(server => server.startsWith(`${prefix}.`));
    if (!taken) return { prefix };
  }
  return undefined;
}

export type Route = {
  readonly device: string;
  readonly destination: number;
  readonly mask: number;
  readonly isDefault: boolean;
};

/** Parses the text of `/proc/net/route`: hexadecimal, in the byte order of a little-endian host. */
export function parseRoutes(text: string): readonly Route[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const [device, destination, , , , , , mask] = line.split(/\s+/);
      if (device === undefined || destination === undefined || mask === undefined) return [];
      const route = { device, destination: swap(destination), mask: swap(mask) };
      return [{ ...route, isDefault: route.destination === 0 && route.mask === 0 }];
    });
}

function overlaps(route: Route, second: number): boolean {
  const ours = ((10 << 24) | (second << 16)) >>> 0;
  const mask = (route.mask & 0xffff0000) >>> 0;
  return (ours & mask) >>> 0 === (route.destination & mask) >>> 0;
}

function swap(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE();
}

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { WherryError } from '../../domain/errors.ts';
import { exec } from '../../system/exec.ts';
import type { Log } from '../../system/log.ts';
import { devices } from './devices.ts';
import { addressOf, firstNamespace, gatewayOf, lastNamespace, type Subnet } from './subnet.ts';
import type { UserMapping } from './user-mapping.ts';

/** A network namespace with one isolated port on the bridge. */
export type Namespace = {
  readonly name: string;
  readonly address: string;
};

const folder = '/run/netns';
/** Making one takes 10 to 50 ms, too long while a visitor waits: so many are kept ready. */
const readyAhead = { apps: 3, builds: 1 } as const;

export type Whose = keyof typeof readyAhead;
/** The user namespaces that own those of apps and of builds. */
export type Mappings = Readonly<Record<Whose, UserMapping | undefined>>;

export const namespacePath = (name: string): string => `${folder}/${name}`;

export async function createNamespaces(options: {
  bridge: string;
  tag: string;
  subnet: Subnet;
  mtu: number;
  owned: readonly Namespace[];
  mappings: Mappings;
  log: Log;
}) {
  const { bridge, tag, subnet, mtu, mappings, log } = options;
  const prefix = `wh${tag}-`;
  const nameOf = (number: number) => `${prefix}${number}`;
  const numberOf = (name: string) => Number(name.slice(prefix.length));
  const used = new Set(options.owned.map(namespace => numberOf(namespace.name)));
  let last = Math.max(firstNamespace - 1, ...used);
  const ready: Record<Whose, Namespace[]> = { apps: [], builds: [] };
  let filling: Promise<void> | undefined;
  let closed = false;

  /** Numbers go round, so that an address just given back is not soon somebody else's. */
  const nextNumber = (): number => {
    for (let tries = firstNamespace; tries <= lastNamespace; tries += 1) {
      last = last >= lastNamespace ? firstNamespace : last + 1;
      if (!used.has(last)) {
        used.add(last);
        return last;
      }
    }
    throw new WherryError('unavailable', 'All 65,000 addresses of this Wherry are in use. Remove instances.');
  };

  const make = async (count: number, whose: Whose): Promise<readonly Namespace[]> => {
    const made = Array.from({ length: count }, () => {
      const number = nextNumber();
      return { name: nameOf(number), address: addressOf(subnet, number) };
    });
    try {
      await build(made, mappings[whose]);
    } catch (error) {
      for (const namespace of made) used.delete(numberOf(namespace.name));
      throw error;
    }
    return made;
  };

  const build = async (namespaces: readonly Namespace[], mapping: UserMapping | undefined): Promise<void> => {
    await mapping?.makeNetworks(namespaces.map(({ name }) => name));
    const outside = namespaces.flatMap(({ name }) => {
      const port = portOf(tag, numberOf(name));
      return [
        ...(mapping ? [] : [`netns add ${name}`]),
        `link add name ${port} mtu ${mtu} master ${bridge} type veth peer name eth0 mtu ${mtu} netns ${name}`,
        `link set ${port} type bridge_slave isolated on`,
        `link set ${port} up`,
      ];
    });
    await batch([], outside);
    for (const { name, address } of namespaces) {
      await batch(
        ['-n', name],
        [
          'link set lo up',
          `addr add ${address}/16 dev eth0`,
          'link set eth0 up',
          `route add default via ${gatewayOf(subnet)}`,
        ],
      );
    }
  };

  const fill = (): Promise<void> => {
    filling ??= (async () => {
      for (const whose of ['apps', 'builds'] as const) {
        const own = ready[whose];
        while (!closed && own.length < readyAhead[whose])
          own.push(...(await make(readyAhead[whose] - own.length, whose)));
      }
    })().finally(() => {
      filling = undefined;
    });
    return filling;
  };
  const fillLater = () => {
    fill().catch((error: unknown) => log.warn({ err: error }, 'could not prepare network namespaces'));
  };

  const removeAll = async (names: readonly string[]): Promise<void> => {
    const present = names.filter(name => existsSync(namespacePath(name)));
    // Deleting the port ends the pair at once; the kernel takes its time to delete a namespace.
    const there = devices();
    const ports = names.map(name => portOf(tag, numberOf(name))).filter(port => there.has(port));
    const lines = [
      ...ports.map(port => `link delete ${port}`),
      ...present.map(name => `netns delete ${name}`),
    ];
    if (lines.length > 0) await batch(['-force'], lines);
  };

  const known = new Set(options.owned.map(namespace => namespace.name));
  await removeAll((await namespacesOf(prefix)).filter(name => !known.has(name)));
  await fill();

  return {
    async take(whose: Whose): Promise<Namespace> {
      const found = ready[whose].shift() ?? (await make(1, whose))[0];
      fillLater();
      if (found === undefined) throw new WherryError('unavailable', 'No network namespace could be made.');
      return found;
    },
    exists: (name: string): boolean => existsSync(namespacePath(name)),
    async restore(namespace: Namespace): Promise<void> {
      await removeAll([namespace.name]);
      await build([namespace], mappings.apps);
    },
    async release(name: string): Promise<void> {
      await removeAll([name]);
      used.delete(numberOf(name));
    },
    /** Those made ahead go too: nothing is left that no instance owns. */
    async close(): Promise<void> {
      closed = true;
      await filling?.catch(() => {});
      await removeAll(Object.values(ready).flatMap(own => own.splice(0).map(({ name }) => name)));
    },
    async purge(): Promise<void> {
      closed = true;
      await filling?.catch(() => {});
      await removeAll(await namespacesOf(prefix));
    },
  };
}

/** Interface names have 15 characters at most: `wh`, 8 of the tag, a dot, 4 hex digits. */
function portOf(tag: string, number: number): string {
  return `wh${tag}.${number.toString(16)}`;
}

async function namespacesOf(prefix: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).filter(name => name.startsWith(prefix));
}

async function batch(flags: readonly string[], lines: readonly string[]): Promise<void> {
  await exec('ip', [...flags, '-batch', '-'], { input: `${lines.join('\n')}\n`, timeout: 30_000 });
}

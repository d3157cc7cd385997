import { isIP } from 'node:net';
import { posix } from 'node:path';
import { parseDisk, parseMemory } from './bytes.ts';
import { type DockerOption, readPair, readSwitch, refusedOption } from './docker-option-text.ts';
import type { UserIds } from './image.ts';
import { parseNetworkName } from './network.ts';
import { parseRestartPolicy } from './upkeep.ts';
import { parseVolumeMount, type VolumeMount } from './volume.ts';

export type Tmpfs = { readonly target: string; readonly size?: number; readonly mode?: string };
export type Ulimit = { readonly name: string; readonly soft: number; readonly hard: number };

/** What options of the phases deploy and run ask for. */
export type RunOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly VolumeMount[];
  readonly tmpfs: readonly Tmpfs[];
  readonly ulimits: readonly Ulimit[];
  /** Lines of `/etc/hosts`. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  readonly networks: readonly string[];
  readonly memory?: number;
  readonly cpus?: number;
  /** Bytes of what is written beside mounts. */
  readonly disk?: number;
  /** Bytes of /dev/shm. */
  readonly shm?: number;
  readonly readonlyRoot?: true;
  readonly hostname?: string;
  readonly user?: UserIds;
  readonly workingDir?: string;
  /** As `ps:set restart-policy` takes it. */
  readonly restart?: string;
};

export const noRunOptions: RunOptions = {
  ...{ env: {}, labels: {}, mounts: [], tmpfs: [], ulimits: [], hosts: [], networks: [] },
};

type Add = (options: RunOptions, value: string | undefined, text: string) => RunOptions;

const ulimits = ['core', 'cpu', 'data', 'fsize', 'memlock', 'msgqueue', 'nofile', 'nproc', 'stack'];
/** What the platform labels its instances with. */
const ownLabels = /^(app|name|type|index|version|port|stop|oneoff|command|cron)$/;
/** Kept by config:set they are encrypted; options are not. */
const secretName = /TOKEN|SECRET|PASS|PWD|KEY|CREDENTIAL|AUTH|_URL$|_DSN$/i;

const volume: Add = (options, given, text) => {
  if (given === undefined || (given.startsWith('/') && !given.includes(':')))
    throw refusedOption(text, 'names no storage. Give NAME:/PATH, after storage:create NAME');
  return { ...options, mounts: [...options.mounts, storageAt(given, text)] };
};

const tmpfs: Add = (options, given, text) => {
  const [target = '', words = ''] = (given ?? '').split(/:(.*)/s);
  const asked = words.split(',').filter(word => word !== '');
  const known = asked.every(word => /^(rw|noexec|nosuid|nodev|size=\w+|mode=[0-7]{3,4})$/.test(word));
  if (!isPlace(target) || !known)
    throw refusedOption(text, 'is no folder in memory. Give /PATH, or /PATH:size=64m,mode=1777');
  const of = (name: string) => asked.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const [size, mode] = [of('size'), of('mode')];
  const made = { target, ...(size && { size: amount(size, text) }), ...(mode && { mode }) };
  return { ...options, tmpfs: [...options.tmpfs, made] };
};

const env: Add = (options, given, text) => {
  const { name, value } = readPair(given, text, /^[A-Za-z_][A-Za-z0-9_]{0,99}$/);
  if (value !== undefined && secretName.test(name))
    throw refusedOption(text, 'looks like a secret, and options are not encrypted: use config:set');
  // A name alone is the config value of that name, which is there anyway.
  return value === undefined ? options : { ...options, env: { ...options.env, [name]: value } };
};

const memory: Add = (options, given, text) => ({ ...options, memory: amount(given, text) });

const network: Add = (options, given, text) => {
  if (given === undefined || /^(host|none|bridge|default)$|[:=,]/.test(given))
    throw refusedOption(text, 'names no network of network:create');
  return { ...options, networks: [...options.networks, parseNetworkName(given)] };
};

const user: Add = (options, given, text) => {
  const [, uid, gid = uid] = /^(\d{1,7})(?::(\d{1,7}))?$/.exec(given ?? '') ?? [];
  if (Number(uid) > 0 && Number(gid) > 0) return { ...options, user: { uid: Number(uid), gid: Number(gid) } };
  throw refusedOption(text, 'is no user of its own. Give numbers above 0, as 1000 or 1000:1000');
};

const workdir: Add = (options, given, text) => {
  if (given !== '/' && !isPlace(given ?? '')) throw refusedOption(text, 'is no absolute path');
  return { ...options, workingDir: given ?? '/' };
};

/** Instances have this of themselves: it is kept and changes nothing. */
const given: Add = options => options;

const adders: Readonly<Record<string, Add>> = {
  '--volume': volume,
  '-v': volume,
  '--mount': readMount,
  '--tmpfs': tmpfs,
  '--env': env,
  '-e': env,
  '--memory': memory,
  '-m': memory,
  '--cpus': (options, value, text) => {
    const cpus = /^\d{1,4}(\.\d{1,3})?$/.test(value ?? '') ? Number(value) : 0;
    if (cpus < 0.01 || cpus > 1024) throw refusedOption(text, 'is no number of CPUs. Give 0.01 to 1024');
    return { ...options, cpus };
  },
  '--storage-opt': (options, value, text) => {
    const [name, size] = (value ?? '').split('=');
    if (name !== 'size') throw refusedOption(text, 'is no size. Give size=1g');
    return { ...options, disk: amount(size, text, parseDisk) };
  },
  '--shm-size': (options, value, text) => ({ ...options, shm: amount(value, text) }),
  '--read-only': (options, value, text) =>
    readSwitch(value, text) ? { ...options, readonlyRoot: true } : options,
  '--ulimit': (options, value, text) => {
    const [, name = '', soft = '', hard = soft] =
      /^([a-z]+)=(\d{1,15})(?::(\d{1,15}))?$/.exec(value ?? '') ?? [];
    if (!ulimits.includes(name) || Number(soft) > Number(hard))
      throw refusedOption(text, `is no limit. Give NAME=SOFT or NAME=SOFT:HARD, of ${ulimits.join(', ')}`);
    const rest = options.ulimits.filter(other => other.name !== name);
    return { ...options, ulimits: [...rest, { name, soft: Number(soft), hard: Number(hard) }] };
  },
  '--add-host': (options, value, text) => {
    const [, name = '', address = ''] =
      /^([a-z0-9][a-z0-9._-]{0,252})[:=]\[?([0-9a-f.:]+)\]?$/i.exec(value ?? '') ?? [];
    if (isIP(address) === 0 || name === 'localhost')
      throw refusedOption(text, 'is no host. Give NAME:ADDRESS; for other apps use network:attach');
    return { ...options, hosts: [...options.hosts, { name, address }] };
  },
  '--label': label,
  '-l': label,
  '--hostname': hostname,
  '-h': hostname,
  '--network': network,
  '--net': network,
  '--user': user,
  '-u': user,
  '--workdir': workdir,
  '-w': workdir,
  '--restart': (options, value) => {
    parseRestartPolicy(value ?? '');
    return { ...options, restart: value ?? '' };
  },
  '--cap-drop': given,
  '--init': given,
  '--rm': given,
};

export const runOptionNames: readonly string[] = Object.keys(adders).filter(name => name.startsWith('--'));

/** Whether it is one of the phases deploy and run. */
export function isRunOption({ name, words }: DockerOption): boolean {
  return Object.hasOwn(adders, name) && (words[0] ?? '').startsWith('-');
}

/** @throws invalid for a value that does not fit */
export function addRunOption(options: RunOptions, { name, value }: DockerOption, text: string): RunOptions {
  const add = Object.hasOwn(adders, name) ? adders[name] : undefined;
  if (!add) throw refusedOption(text, 'is not known here');
  return add(options, value, text);
}

/** `type=volume,source=blog,target=/data,readonly`, `type=tmpfs,target=/cache,tmpfs-size=64m`. */
function readMount(options: RunOptions, value: string | undefined, text: string): RunOptions {
  const pairs = (value ?? '').split(',').map(pair => pair.split(/=(.*)/s) as [string, string | undefined]);
  const fields = new Map(pairs.map(([name, given]) => [aliases[name] ?? name, given ?? 'true']));
  const { type = 'volume', target = '', source = '', readonly = 'false' } = Object.fromEntries(fields);
  const unknown = [...fields.keys()].find(name => !mountFields.includes(name));
  if (unknown !== undefined) throw refusedOption(text, 'has a field that means nothing here. Leave it out');
  if (type === 'tmpfs') {
    const words = (['size', 'mode'] as const).flatMap(name => {
      const found = fields.get(`tmpfs-${name}`);
      return found === undefined ? [] : [`${name}=${found}`];
    });
    return tmpfs(options, [target, words.join(',')].join(':'), text);
  }
  if (type !== 'volume') throw refusedOption(text, 'shows a folder of the host: use storage:mount');
  return volume(options, `${source}:${target}${readonly === 'true' ? ':ro' : ''}`, text);
}

const aliases: Readonly<Record<string, string>> = {
  ...{ src: 'source', dst: 'target', destination: 'target', ro: 'readonly' },
};
const mountFields = ['type', 'source', 'target', 'readonly', 'tmpfs-size', 'tmpfs-mode'];

function label(options: RunOptions, value: string | undefined, text: string): RunOptions {
  const { name, value: said = '' } = readPair(value, text, /^[A-Za-z0-9][\w./-]{0,199}$/);
  if (ownLabels.test(name))
    throw refusedOption(text, "is one of the platform's own labels. Give another name");
  return { ...options, labels: { ...options.labels, [name]: said } };
}

function hostname(options: RunOptions, value: string | undefined, text: string): RunOptions {
  if (!/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(value ?? ''))
    throw refusedOption(text, 'is no name of a host. Use letters, digits and "-"');
  return { ...options, hostname: value ?? '' };
}

/** Storage by name; what is of the host itself is for storage:mount alone. */
function storageAt(mount: string, text: string): VolumeMount {
  const found = parseVolumeMount(mount, '/');
  if (found.source.startsWith('/'))
    throw refusedOption(text, 'shows a folder of the host: use storage:mount, or storage by name');
  return found;
}

/** As docker has them: a bare number is bytes. */
function amount(value: string | undefined, text: string, parse = parseMemory): number {
  if (!/^\d{1,15}[bkmg]?b?$/i.test(value ?? ''))
    throw refusedOption(text, 'has no amount. Give a number and a unit, as 64m or 1g');
  return parse(/\d$/.test(value ?? '') ? `${value}b` : (value ?? ''));
}

function isPlace(path: string): boolean {
  return path.startsWith('/') && path !== '/' && posix.normalize(path) === path && !path.endsWith('/');
}

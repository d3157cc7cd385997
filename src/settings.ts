import { parseMemory } from './domain/bytes.ts';
import { WherryError } from './domain/errors.ts';
import { type Fault, parseFault } from './domain/fault.ts';
import { type Domain, parseDomain, quoteForPeople } from './domain/names.ts';

export type Address = { readonly host: string; readonly port: number };

type Setting<Value> = {
  readonly flag: string;
  readonly env: string;
  readonly default: string;
  readonly help: string;
  readonly parse: (text: string) => Value;
};

const setting = <Value>(row: Setting<Value>): Setting<Value> => row;

/** Every setting of the daemon, once: command-line flag, environment variable, default, help, parser. */
export const settingsTable = {
  data: setting({
    flag: 'data',
    env: 'WHERRY_DATA',
    default: '/var/lib/wherry',
    help: 'data directory',
    parse: text => text,
  }),
  ssh: setting({
    flag: 'ssh',
    env: 'WHERRY_SSH',
    default: '0.0.0.0:2222',
    help: 'address that takes pushes and commands',
    parse: parseAddress,
  }),
  http: setting({
    flag: 'http',
    env: 'WHERRY_HTTP',
    default: '0.0.0.0:80',
    help: 'address that takes web requests',
    parse: parseAddress,
  }),
  api: setting<Address | undefined>({
    flag: 'api',
    env: 'WHERRY_API',
    default: '',
    help: 'address that serves the HTTP API to who has a token; none unless given',
    parse: text => (text === '' ? undefined : parseAddress(text)),
  }),
  apiCertificate: setting({
    flag: 'api-certificate',
    env: 'WHERRY_API_CERTIFICATE',
    default: '',
    help: 'PEM file of the certificate and its chain for the HTTP API, and of its key unless that is apart; read again when renewed',
    parse: text => text,
  }),
  apiKey: setting({
    flag: 'api-key',
    env: 'WHERRY_API_KEY',
    default: '',
    help: 'PEM file of the key of that certificate, where it is a file of its own',
    parse: text => text,
  }),
  apiPlain: setting({
    flag: 'api-plain',
    env: 'WHERRY_API_PLAIN',
    default: 'false',
    help: 'whether the HTTP API goes without TLS on an address that others reach',
    parse: parseSwitch,
  }),
  metrics: setting<Address | undefined>({
    flag: 'metrics',
    env: 'WHERRY_METRICS',
    default: '',
    help: 'address that serves /metrics of the edge to Prometheus, without login; none unless given',
    parse: text => (text === '' ? undefined : parseAddress(text)),
  }),
  https: setting<Address | undefined>({
    flag: 'https',
    env: 'WHERRY_HTTPS',
    default: '0.0.0.0:443',
    help: 'address that takes web requests over TLS; none turns it off',
    parse: text => (text === 'none' ? undefined : parseAddress(text)),
  }),
  edgeWorkers: setting({
    flag: 'edge-workers',
    env: 'WHERRY_EDGE_WORKERS',
    default: '1',
    help: 'processes that take web requests, on the same addresses',
    parse: parseWorkers,
  }),
  domain: setting<Domain>({
    flag: 'domain',
    env: 'WHERRY_DOMAIN',
    default: 'localhost',
    help: 'every app gets APP.DOMAIN',
    parse: parseDomain,
  }),
  cache: setting({
    flag: 'cache',
    env: 'WHERRY_CACHE',
    default: '/var/cache/wherry',
    help: 'stacks, runtimes and downloads, shared by data directories',
    parse: text => text,
  }),
  caFile: setting({
    flag: 'ca-file',
    env: 'WHERRY_CA_FILE',
    default: '',
    help: 'PEM bundle that builds trust for downloads (a company CA); never put into images',
    parse: text => text,
  }),
  nodeMirror: setting<string | undefined>({
    flag: 'node-mirror',
    env: 'WHERRY_NODE_MIRROR',
    default: '',
    help: 'URL of a mirror of nodejs.org/dist that Node is taken from first',
    parse: parseMirror,
  }),
  allowHosts: setting({
    flag: 'allow-hosts',
    env: 'WHERRY_ALLOW_HOSTS',
    default: '',
    help: 'hosts (HOST or HOST:PORT, by commas) inside the network that buildpacks, images and sources may be fetched from',
    parse: text => text,
  }),
  autocreate: setting({
    flag: 'autocreate',
    env: 'WHERRY_AUTOCREATE',
    default: 'true',
    help: 'whether a push to an unknown app creates it',
    parse: parseSwitch,
  }),
  mapUsers: setting({
    flag: 'map-users',
    env: 'WHERRY_MAP_USERS',
    default: 'true',
    help: 'whether users inside instances are others outside, where the host can',
    parse: parseSwitch,
  }),
  readyTimeout: setting({
    flag: 'ready-timeout',
    env: 'WHERRY_READY_TIMEOUT',
    default: '60',
    help: 'seconds a web process may take to become ready',
    parse: parseSeconds,
  }),
  buildMemory: setting<number | undefined>({
    flag: 'build-memory',
    env: 'WHERRY_BUILD_MEMORY',
    default: 'auto',
    help: 'memory that builds may use together, as 4g; auto is half of the host less 256m; one build always runs',
    parse: text => (text === 'auto' ? undefined : parseMemory(text)),
  }),
  engine: setting({
    flag: 'engine',
    env: 'WHERRY_ENGINE',
    default: 'runc',
    help: 'what runs containers',
    parse: text => text,
  }),
  fault: setting<Fault | undefined>({
    flag: 'fault',
    env: 'WHERRY_FAULT',
    default: '',
    help: 'tests only: where the daemon kills itself, as build:detect, or stops or fails, as build:detect:stop',
    parse: parseFault,
  }),
} as const;

export type Settings = {
  readonly [Key in keyof typeof settingsTable]: ReturnType<(typeof settingsTable)[Key]['parse']>;
};

/** Flag, then environment, then default. @throws usage on an unknown flag, invalid on a value that does not parse */
export function readSettings(
  flags: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const known = new Set<string>(Object.values(settingsTable).map(row => row.flag));
  for (const flag of flags.keys()) {
    if (!known.has(flag))
      throw new WherryError(
        'usage',
        `Flag --${flag} is not known. Known are: ${[...known].map(name => `--${name}`).join(', ')}.`,
      );
  }
  return Object.fromEntries(
    Object.entries(settingsTable).map(([key, row]) => [
      key,
      row.parse(flags.get(row.flag) ?? env[row.env] ?? row.default),
    ]),
  ) as Settings;
}

/** `HOST:PORT`, `:PORT` or `[v6]:PORT`; port 0 takes a free one. @throws invalid */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new WherryError(
      'invalid',
      `Address ${quoteForPeople(text)} is not HOST:PORT. Give for example 127.0.0.1:8080.`,
    );
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** @throws invalid */
function parseMirror(text: string): string | undefined {
  if (text === '') return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not the URL of a mirror. Give for example https://mirror.example.org/node.`,
  );
}

/** @throws invalid */
function parseSwitch(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new WherryError('invalid', `${quoteForPeople(text)} is not true or false.`);
}

/** 1 to 64. @throws invalid */
function parseWorkers(text: string): number {
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 64) return workers;
  throw new WherryError('invalid', `${quoteForPeople(text)} is not a number of processes. Give 1 to 64.`);
}

/** 1 to 3600. @throws invalid */
function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new WherryError('invalid', `${quoteForPeople(text)} is not a number of seconds. Give 1 to 3600.`);
}

import { constants } from 'node:os';
import { WherryError } from '../../domain/errors.ts';
import {
  type DiffId,
  type Image,
  type ProcessSpec,
  type StopSignal,
  stopSignals,
  type UserIds,
} from '../../domain/image.ts';
import { type ProcessType, parseProcessType, quoteForPeople } from '../../domain/names.ts';
import type { AppJson } from '../app-json.ts';
import { identified } from '../image-id.ts';
import { appUser } from '../stack/recipe.ts';
import type { OciConfig } from './config.ts';

export type Foreign = {
  readonly config: OciConfig;
  /** In our store, lowest first. */
  readonly layers: readonly DiffId[];
  /** The image's `/etc/passwd` and `/etc/group`; undefined where it has none. */
  readonly accounts: { readonly passwd: string | undefined; readonly group: string | undefined };
  /** Commands of a Procfile: they take the place of CMD, behind ENTRYPOINT as `docker run` does. */
  readonly procfile?: ReadonlyMap<ProcessType, string>;
  /** Its health check goes before the image's own HEALTHCHECK. */
  readonly appJson?: AppJson;
};

/** An image from elsewhere as one of ours, and what the person should know of the differences. @throws build-failed */
export function foreignImage(foreign: Foreign): { image: Image; warnings: readonly string[] } {
  const own = foreign.config.config ?? {};
  const warnings: string[] = [];
  const workingDir = own.WorkingDir || '/';
  const env = readEnv(own.Env ?? []);
  const port = portOf(Object.keys(own.ExposedPorts ?? {}), env);
  const said = foreign.appJson?.parts ?? {};
  const healthcheck = said.healthchecks?.['web'] ? undefined : readHealthcheck(own);
  const stopSignal = stopSignalOf(own.StopSignal || 'SIGTERM', warnings);
  if (Object.keys(own.Volumes ?? {}).length > 0)
    warnings.push('VOLUME is ignored: what the app writes there is gone with its instance.');
  const content: Omit<Image, 'id'> = {
    layers: foreign.layers,
    env,
    workingDir,
    user: userOf(own.User ?? '', foreign.accounts, warnings),
    entrypoint: own.Entrypoint ?? [],
    processes: processesOf(foreign, workingDir),
    ...(port === undefined ? {} : { port }),
    ...said,
    ...(healthcheck ? { healthcheck } : {}),
    ...(stopSignal === 'SIGTERM' ? {} : { stopSignal }),
    labels: own.Labels ?? {},
  };
  return { image: identified(content), warnings };
}

function processesOf({ config, procfile }: Foreign, workingDir: string): readonly ProcessSpec[] {
  const { Entrypoint, Cmd } = config.config ?? {};
  const commands = new Map<ProcessType, readonly string[]>();
  if ((Entrypoint ?? []).length > 0 || (Cmd ?? []).length > 0)
    commands.set(parseProcessType('web'), Cmd ?? []);
  for (const [type, line] of procfile ?? []) commands.set(type, wordsOf(line));
  if (commands.size === 0)
    throw new WherryError(
      'build-failed',
      'The image names no command to run. Add CMD to its Dockerfile, or a Procfile with a line such as "web: ./server".',
    );
  return [...commands].map(([type, command]) => ({ type, command, workingDir }));
}

/** Plain words need no shell, which an image may lack. */
function wordsOf(line: string): readonly string[] {
  return /^[\w./:=@,+% -]+$/.test(line) && !/^\s*\w+=/.test(line)
    ? line.trim().split(/ +/)
    : ['/bin/sh', '-c', line];
}

function readEnv(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap(line => {
      const at = line.indexOf('=');
      const name = line.slice(0, at);
      return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? [[name, line.slice(at + 1)]] : [];
    }),
  );
}

/** The one that the image's own PORT names, else the lowest TCP port that is exposed. */
function portOf(exposed: readonly string[], env: Readonly<Record<string, string>>): number | undefined {
  const ports = exposed
    // Of a range, `8000-8005`, its first.
    .filter(name => /^\d{1,5}(-\d{1,5})?(\/tcp)?$/.test(name))
    .map(name => Number.parseInt(name, 10))
    .filter(port => port > 0 && port < 65_536)
    .sort((a, b) => a - b);
  return ports.find(port => String(port) === env['PORT']) ?? ports[0];
}

/** By its name, with SIG or without, or by its number. */
function stopSignalOf(text: string, warnings: string[]): StopSignal {
  const name = text.toUpperCase();
  const found = stopSignals.find(
    signal => name === signal || `SIG${name}` === signal || name === String(constants.signals[signal]),
  );
  if (found) return found;
  warnings.push(
    `STOPSIGNAL ${quoteForPeople(text)} is ignored: instances are asked to stop by SIGTERM. Known are ${stopSignals.join(', ')}.`,
  );
  return 'SIGTERM';
}

/** As Docker runs it; where it says nothing of a time, Docker's own. */
function readHealthcheck({ Healthcheck: given, Shell }: NonNullable<OciConfig['config']>) {
  const [form, ...words] = given?.Test ?? [];
  if (!given || words.length === 0 || !['CMD', 'CMD-SHELL'].includes(form ?? '')) return undefined;
  const milliseconds = (nanoseconds: number | null | undefined, otherwise: number) =>
    nanoseconds ? Math.max(1, Math.round(nanoseconds / 1e6)) : otherwise;
  return {
    command: form === 'CMD' ? words : [...(Shell ?? ['/bin/sh', '-c']), words.join(' ')],
    interval: milliseconds(given.Interval, 30_000),
    timeout: milliseconds(given.Timeout, 30_000),
    retries: given.Retries || 3,
    startPeriod: milliseconds(given.StartPeriod, 0),
  };
}

/**
 * Numbers of a `USER name[:group]`. Nothing runs as root here: an image that wants it gets the platform's usual user, which
 * serves for most that only read their files.
 */
function userOf(text: string, accounts: Foreign['accounts'], warnings: string[]): UserIds {
  const [name = '', group] = text.split(':');
  const isRoot = name === '' || name === 'root';
  const account = isRoot ? undefined : accountOf(name, accounts.passwd);
  const uid = isRoot ? 0 : (numberOf(name) ?? account?.uid);
  if (uid === undefined)
    throw new WherryError(
      'build-failed',
      `The image has no user ${quoteForPeople(name)} in its /etc/passwd. Correct USER, or give a number.`,
    );
  if (uid === 0) {
    warnings.push(
      `The image wants to run as root; it runs as user ${appUser.uid}, who cannot write to files of root. Set USER in its Dockerfile.`,
    );
    return appUser;
  }
  const gid =
    group === undefined
      ? (account?.gid ?? accountOf(name, accounts.passwd)?.gid ?? uid)
      : (numberOf(group) ?? groupOf(group, accounts.group));
  if (gid === undefined)
    throw new WherryError(
      'build-failed',
      `The image has no group ${quoteForPeople(group ?? '')} in its /etc/group. Correct USER, or give a number.`,
    );
  return { uid, gid: gid === 0 ? uid : gid };
}

function accountOf(name: string, passwd = ''): UserIds | undefined {
  for (const line of passwd.split('\n')) {
    const [account, , uid = '', gid = ''] = line.split(':');
    const ids = { uid: numberOf(uid), gid: numberOf(gid) };
    const named = account === name || uid === name;
    if (named && ids.uid !== undefined && ids.gid !== undefined) return { uid: ids.uid, gid: ids.gid };
  }
  return undefined;
}

function groupOf(name: string, groups = ''): number | undefined {
  const line = groups.split('\n').find(each => each.startsWith(`${name}:`));
  return line === undefined ? undefined : numberOf(line.split(':')[2] ?? '');
}

function numberOf(text: string): number | undefined {
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}

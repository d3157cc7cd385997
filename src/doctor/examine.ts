import { type BackupState, checkBackups } from './backups.ts';
import { checkCertificates, type Dated } from './certificates.ts';
import { checkCgroups } from './cgroups.ts';
import { checkClock } from './clock.ts';
import { checkDatabase } from './database.ts';
import { checkDisks } from './disk.ts';
import { checkDns, type Named } from './dns.ts';
import { about, type Finding } from './finding.ts';
import { checkFolders } from './folders.ts';
import type { Host } from './host.ts';
import { checkKernel } from './kernel.ts';
import { checkMemory } from './memory.ts';
import { checkPorts, type Listener } from './ports.ts';
import { checkPrograms } from './programs.ts';

/** What is known of the Wherry that is examined; of one that does not run, less. */
export type Patient = {
  readonly data: string;
  readonly cache: string;
  readonly isRunning: boolean;
  /** Of one that does not run: whether its database told of domains and certificates. */
  readonly isKnown?: boolean;
  readonly listeners: readonly Listener[];
  readonly domains: readonly Named[];
  readonly certificates: readonly Dated[];
  /** Undefined where there is none yet. */
  readonly database?: { readonly damage: string | undefined } | undefined;
  /** Undefined where none are set up. */
  readonly backups?: BackupState | undefined;
  readonly now: Date;
};

/** All checks, in the order in which trouble is best looked for. */
export async function examine(host: Host, patient: Patient): Promise<readonly Finding[]> {
  const { data, cache, domains, certificates, now } = patient;
  const [programs, clock, ports, dns, backups] = await Promise.all([
    checkPrograms(host),
    checkClock(host),
    checkPorts(host, patient),
    checkDns(host, domains),
    checkBackups(host, patient.backups, now),
  ]);
  return [
    ...checkKernel(host),
    ...checkCgroups(host),
    ...programs,
    ...checkMemory(host),
    ...checkDisks(host, [data, cache]),
    ...(patient.database ? [checkDatabase(patient.database)] : []),
    ...clock,
    ...checkFolders(host, data),
    ...(patient.isRunning ? [] : [notRunning(patient)]),
    ...ports,
    ...dns,
    ...checkCertificates(certificates, now),
    ...backups,
  ];
}

function notRunning({ data, isKnown }: Patient): Finding {
  const looked = isKnown ? 'apps' : 'apps, their domains and certificates';
  return about('daemon').warn(
    `Wherry is not running on ${data}: ${looked} were not looked at`,
    `Start it: systemctl start wherry, or wherry daemon --data ${data}`,
  );
}

/** A line each, and the remedy below it. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ topic }) => topic.length));
  const count = (state: Finding['state']) => findings.filter(each => each.state === state).length;
  return [
    ...findings.flatMap(({ state, topic, message, remedy }) => [
      `${state.padEnd(4)}  ${topic.padEnd(width)}  ${message}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(6 + width + 2)}${remedy}`]),
    ]),
    `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures`,
  ];
}

export const hasFailure = (findings: readonly Finding[]): boolean =>
  findings.some(({ state }) => state === 'fail');

import type { PatienceLimits } from './patience.ts';

/** What one client, or all of them, may take. Times in milliseconds. */
export type SshLimits = PatienceLimits & {
  /** Connections that have not logged in yet, in all and from one address. */
  readonly strangers: number;
  readonly strangersPerAddress: number;
  /** Connections that wait until fewer are logging in, in all and from one address. */
  readonly line: number;
  readonly linePerAddress: number;
  /** Connections in all. */
  readonly connections: number;
  /** Refused keys until the connection is closed. */
  readonly attempts: number;
  /** Longest wait in line; then, longest time until it is logged in. */
  readonly grace: number;
  /** A connection without any open channel. */
  readonly idle: number;
  readonly channels: number;
  readonly keepalive: number;
  /** Unanswered keepalives until the client counts as gone. */
  readonly keepalives: number;
};

export const defaultLimits: SshLimits = {
  strangers: 50,
  strangersPerAddress: 10,
  line: 400,
  linePerAddress: 100,
  connections: 500,
  attempts: 6,
  grace: 20_000,
  idle: 15 * 60_000,
  channels: 10,
  keepalive: 30_000,
  keepalives: 3,
  failures: { most: 30, pause: 1000 },
  failuresInAll: { most: 300, pause: 50 },
  trust: 24 * 3600_000,
};

import { cpus, release, totalmem } from 'node:os';
import { startWherry, type Wherry } from '../support/wherry.ts';

export type Row = { readonly what: string; readonly value: string; readonly aim?: string };

/** Value below which a fraction of the samples lie (nearest rank). @throws on none */
export function quantile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)];
  if (value === undefined) throw new Error('Nothing was measured.');
  return value;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Number of runs: the first argument, or what is usual. */
export function runsAsked(usual: number): number {
  const asked = Number(process.argv[2] ?? usual);
  if (!Number.isInteger(asked) || asked < 1)
    throw new Error(`Runs must be a whole number, not ${process.argv[2]}.`);
  return asked;
}

/** Prints a progress note where no reader of the JSON sees it. */
export const note = (text: string): void => console.error(`       ${text}`);

/** The table for people and, last, the line for programs. */
export function report(bench: string, rows: readonly Row[], metrics: Readonly<Record<string, number>>): void {
  const width = Math.max(...rows.map(row => row.what.length));
  for (const { what, value, aim } of rows)
    console.log(`${what.padEnd(width)}  ${value.padStart(10)}${aim ? `  (aim: ${aim})` : ''}`);
  console.log(JSON.stringify({ bench, metrics: rounded(metrics), host: host() }));
}

/** Runs a measurement on a Wherry of its own and takes it down, whatever happens. */
export async function onFreshWherry(
  measure: (wherry: Wherry) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const wherry = await startWherry({ env });
  const end = () => void wherry.stop().finally(() => process.exit(130));
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    await measure(wherry);
  } catch (error) {
    note(`The daemon's log ends:\n${wherry.log().slice(-3000)}`);
    throw error;
  } finally {
    await wherry.stop();
  }
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
export const mb = (value: number): string => `${value.toFixed(1)} MB`;

function host() {
  return {
    cpus: cpus().length,
    memory_mb: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.version,
  };
}

function rounded(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([key, value]) => [key, Math.round(value * 100) / 100]),
  );
}

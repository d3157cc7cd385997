import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Exit, InstanceSpec } from '../engine.ts';
import { isErrno } from './cgroup-files.ts';
import type { Namespace } from './namespaces.ts';

/** What `create` wrote down: all that is needed to find the instance again, and to start it again after a reboot. */
export type InstanceRecord = {
  readonly spec: InstanceSpec;
  readonly network: Namespace;
  /** Its users are others outside. */
  readonly mapped?: true;
};

export async function writeRecord(path: string, record: InstanceRecord): Promise<void> {
  await writeWhole(path, JSON.stringify(record));
}

/** Undefined when there is none, or a half-written one: the instance was never completed. */
export async function readRecord(path: string): Promise<InstanceRecord | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : (JSON.parse(text) as InstanceRecord);
}

export async function writeExit(path: string, exit: Exit): Promise<void> {
  await writeWhole(path, JSON.stringify(exit));
}

export async function readExit(path: string): Promise<Exit | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const exit = JSON.parse(text) as Omit<Exit, 'at'> & { at: string };
  return { ...exit, at: new Date(exit.at) };
}

/** A file is there whole or not at all, also after a crash in between. Only root reads it: it may hold config values. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

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
  return readWhole<InstanceRecord>(path);
}

export async function writeExit(path: string, exit: Exit): Promise<void> {
  await writeWhole(path, JSON.stringify(exit));
}

export async function readExit(path: string): Promise<Exit | undefined> {
  const exit = await readWhole<Omit<Exit, 'at'> & { at: string }>(path);
  return exit && { ...exit, at: new Date(exit.at) };
}

/** What is told by a file that is whole. A loss of power may leave one that is empty: then it tells nothing, like one that is not there. */
export async function readWhole<Told>(path: string): Promise<Told | undefined> {
  const text = await readText(path);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Told);
  } catch {
    return undefined;
  }
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../../../src/domain/image.ts';
import type { BuildBench } from './bench.ts';

/** What a process of an image prints until it ends: the first one, or that of the type. */
export async function outputOf(
  { engine, paths }: Pick<BuildBench, 'engine' | 'paths'>,
  image: Image,
  options: { type?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const process = image.processes.find(({ type }) => type === (options.type ?? type));
  const id = `odd.${process?.type}.1.v1-000000`;
  const logFile = join(paths.logs, `${id}.log`);
  const instance = await engine.create({
    ...{ id, group: 'odd', labels: {}, hostname: 'test', logFile },
    layers: image.layers,
    argv: [...image.entrypoint, ...(process?.command ?? [])],
    env: { ...image.env, ...options.env },
    workingDir: process?.workingDir ?? image.workingDir,
    user: image.user,
    limits: { memory: 256 * 2 ** 20, pids: 64 },
  });
  await engine.start(instance.id);
  await engine.wait(instance.id, AbortSignal.timeout(20_000));
  await engine.remove(instance.id);
  // Time, stream, and whether the line ends there.
  return readFileSync(logFile, 'utf8').replace(/^\S+ \S+ (F|P) (.*)\n/gm, (_line, end, text) =>
    end === 'F' ? `${text}\n` : text,
  );
}

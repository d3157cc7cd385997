import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiffId, Image } from '../../domain/image.ts';
import { faultPoint } from '../../system/fault.ts';
import { checkDisk, watchDisk } from '../disk-watch.ts';
import { explainDockerfile } from '../explain/dockerfile.ts';
import type { Explanation } from '../explain/explanation.ts';
import { dockerfileParts } from '../explain/parts.ts';
import { digestOf } from '../layers/digest.ts';
import type { Run } from '../lifecycle/run.ts';
import { adoptImage } from '../oci/adopt.ts';
import { readImage } from '../oci/archive.ts';
import { rememberLayer } from '../oci/import.ts';
import { remember, remembered } from '../oci/memory.ts';
import { parseProcfile } from '../procfile.ts';
import { readSmallFile } from '../read-file.ts';
import { checkSource } from '../source.ts';
import { ignoreFileOf, readDockerfile } from './file.ts';
import { buildFlags, givenOf, givenTo } from './options.ts';
import { type Scanned, scanDockerfile, stackLocal } from './scan.ts';
import { writeLayout } from './stack-image.ts';
import { openWorkshop, storageOf, type Workshop } from './workshop.ts';

const tag = 'localhost/app:latest';
/** Rights that steps have in other builders and not here: to chroot, which is how one would leave the chroot they run in. */
const dropped = ['CAP_SYS_CHROOT', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_AUDIT_WRITE'];

/** The stack as Dockerfiles have it by name. */
type Base = { readonly layers: readonly DiffId[]; readonly env: Readonly<Record<string, string>> };

/** Builds an app's Dockerfile with buildah. @throws build-failed */
export async function buildDockerfile(
  run: Run,
): Promise<{ readonly image: Image; readonly explanation: Explanation }> {
  const { request, layers } = run;
  const { progress } = request;
  const { dir } = request.source;
  const { healthcheck } = checkSource(dir, progress);
  const given = givenTo(request, run.operator);
  const scanned = scanDockerfile(readDockerfile(request), given);
  const procfile = readSmallFile(join(dir, 'Procfile'), 'Procfile');
  const generation = await run.stack.generation(request);
  const stack = { layers: generation.run, env: generation.env };
  const { diffId: source } = await digestOf(dir);
  const key = keyOf(run, source, stack);
  const again = request.fresh || request.dockerfile?.options?.noCache;
  const last = again ? undefined : remembered(run.builds, request.app, key);
  const whole = last?.layers.every(layers.has) ? last : undefined;
  const { path = 'Dockerfile', options } = request.dockerfile ?? {};
  const made = { generation, source, path, given: givenOf(request), labels: options?.labels ?? {} };
  const parts = dockerfileParts(run, made);
  const explanation = explainDockerfile(run, { parts, last, reused: whole !== undefined });
  if (whole) {
    progress.detail('Nothing changed: the image is the one of the last build');
    return { image: whole, explanation };
  }
  for (const warning of scanned.warnings) progress.warn(warning);
  const image = await adoptImage({
    ...run,
    files: readImage(await buildLayout(run, scanned, stack), 'The built image'),
    name: 'the built image',
    limit: request.limits.disk,
    progress,
    ...(procfile === undefined ? {} : { procfile: parseProcfile(procfile).processes }),
    ...(healthcheck ? { healthcheck } : {}),
  });
  await faultPoint('build:record');
  remember(run.builds, request.app, { key, image });
  return { image, explanation };
}

/** Runs the build in its sandbox; the folder with the image as an OCI layout. */
async function buildLayout(run: Run, scanned: Scanned, stack: Base): Promise<string> {
  const { request, work, signal } = run;
  const files = work.folder('files');
  writeFileSync(join(files, 'Dockerfile'), scanned.text);
  if (scanned.usesStack && !hasStack(run, stack)) await writeStack(run, join(files, 'stack'), stack);
  const stop = new AbortController();
  const storage = storageOf(run);
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const limit = request.limits.disk;
  // The stack lies in it too, once.
  const watched = { dir: storage, limit, spare: limit, clock: run.clock };
  const endWatch = watchDisk({ ...watched, onFull: error => stop.abort(error) });
  const both = AbortSignal.any([signal, stop.signal]);
  const workshop = await openWorkshop({ ...run, signal: both }, { context: request.source.dir, files });
  try {
    await faultPoint('build:sandbox');
    await bringStack(run, workshop, scanned, stack);
    await build(run, workshop);
    await faultPoint('build:layers');
    await checkDisk(work.dir, limit, limit);
    return join(workshop.out, 'image');
  } catch (error) {
    if (stop.signal.aborted) await rm(storage, { recursive: true, force: true });
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    endWatch();
    await workshop.close();
  }
}

/** Built images hold the stack as it was written here: its layers are known as ours when they come back. */
async function writeStack(run: Run, dir: string, stack: Base): Promise<void> {
  const { layers, signal, builds } = run;
  const made = await writeLayout({ ...stack, dir, layerPath: layers.layerPath, signal });
  for (const [diffId, layer] of made) await rememberLayer(builds, diffId, layer);
}

async function bringStack(run: Run, workshop: Workshop, scanned: Scanned, stack: Base): Promise<void> {
  if (!scanned.usesStack || hasStack(run, stack)) return;
  run.request.progress.detail('Copying the stack into the storage of the app (once)');
  const id = await workshop.buildah('pull', ['--quiet', 'oci:/files/stack:stack']);
  await workshop.buildah('tag', [id, stackLocal]);
  writeFileSync(stackNote(run), JSON.stringify(stack));
}

async function build({ request, operator }: Run, workshop: Workshop): Promise<void> {
  const { flags, env } = buildFlags(request, operator);
  const ignored = ignoreFileOf(request);
  const how = [
    '--isolation=chroot',
    // The sandbox's own.
    '--network=host',
    '--layers',
    '--format=docker',
    ...dropped.map(name => `--cap-drop=${name}`),
    ...flags,
    ...(ignored === undefined ? [] : [`--ignorefile=/context/${ignored}`]),
  ];
  await workshop.buildah('build', [...how, '--file=/files/Dockerfile', `--tag=${tag}`, '/context'], env);
  // The OCI form has no place for HEALTHCHECK and SHELL.
  const form = ['--quiet', '--disable-compression', '--format=v2s2'];
  await workshop.buildah('push', [...form, tag, 'oci:/out/image:app']);
}

function hasStack(run: Run, stack: Base): boolean {
  return readSmallFile(stackNote(run), 'the note of the stack') === JSON.stringify(stack);
}

/** Beside the storage, where no build writes. */
function stackNote(run: Run): string {
  return join(storageOf(run), 'stack.json');
}

/** What the image comes from; values of arguments may be secrets, so it is made with a key. */
function keyOf({ request, key }: Run, source: DiffId, stack: Base): string {
  const { path, options } = request.dockerfile ?? {};
  const asked = [source, stack, path ?? null, givenOf(request), options?.labels ?? {}];
  return createHmac('sha256', key).update(JSON.stringify(asked)).digest('hex');
}

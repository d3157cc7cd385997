import { createHmac } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import { remember, remembered } from '../oci/memory.ts';
import { readPins, writePins } from '../pins.ts';
import { parseProcfile } from '../procfile.ts';
import { readSmallFile } from '../read-file.ts';
import { checkSource } from '../source.ts';
import { type Base, findBases } from './bases.ts';
import { ignoreFileOf, readDockerfile } from './file.ts';
import { hereContext, scripts } from './here-steps.ts';
import { buildFlags, givenOf, givenTo } from './options.ts';
import { type Scanned, scanDockerfile } from './scan.ts';
import { baseInside, openWorkshop, storageOf, type Workshop } from './workshop.ts';

const tag = 'localhost/app:latest';
/** Rights that steps have in other builders and not here: to chroot, which is how one would leave the chroot they run in. */
const dropped = ['CAP_SYS_CHROOT', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_AUDIT_WRITE'];

/** Builds an app's Dockerfile with buildah. @throws build-failed */
export async function buildDockerfile(
  run: Run,
): Promise<{ readonly image: Image; readonly explanation: Explanation }> {
  const { request, layers } = run;
  const { progress } = request;
  const { dir } = request.source;
  const appJson = checkSource(dir, progress);
  const given = givenTo(request, run.operator);
  const scanned = scanDockerfile(readDockerfile(request), given);
  const procfile = readSmallFile(join(dir, 'Procfile'), 'Procfile');
  const bases = await findBases(run, scanned.bases);
  const { diffId: source } = await digestOf(dir);
  const key = keyOf(run, source, bases);
  const again = request.fresh || request.dockerfile?.options?.noCache;
  const last = again ? undefined : remembered(run.builds, request.app, key);
  const whole = last?.layers.every(layers.has) ? last : undefined;
  const { path = 'Dockerfile', options } = request.dockerfile ?? {};
  const made = { bases, source, path, given: givenOf(request), labels: options?.labels ?? {} };
  const parts = dockerfileParts(run, made);
  const explanation = explainDockerfile(run, { parts, last, reused: whole !== undefined });
  if (whole) {
    progress.detail('Nothing changed: the image is the one of the last build');
    return { image: whole, explanation };
  }
  for (const warning of scanned.warnings) progress.warn(warning);
  const image = await adoptImage({
    ...run,
    files: readImage(await buildLayout(run, scanned, bases), 'The built image'),
    name: 'the built image',
    limit: request.limits.disk,
    progress,
    ...(procfile === undefined ? {} : { procfile: parseProcfile(procfile).processes }),
    appJson,
  });
  await faultPoint('build:record');
  remember(run.builds, request.app, { key, image });
  return { image, explanation };
}

/** Runs the build in its sandbox; the folder with the image as an OCI layout. */
async function buildLayout(run: Run, scanned: Scanned, bases: readonly Base[]): Promise<string> {
  const { request, work, signal } = run;
  const files = work.folder('files');
  writeFileSync(join(files, 'Dockerfile'), scanned.text);
  writeHere(join(files, 'here'), scanned.files);
  const storage = storageOf(run);
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const here = readPins(storageNote(run));
  const missing = bases.filter(({ local, id }) => here[local] !== id);
  const layouts: string[] = [];
  for (const [place, base] of missing.entries())
    layouts.push(await base.layout(work.folder(`bases/${place}`)));
  const stop = new AbortController();
  const limit = request.limits.disk;
  // What it starts from lies in it too, once.
  const watched = { dir: storage, limit, spare: limit, clock: run.clock };
  const endWatch = watchDisk({ ...watched, onFull: error => stop.abort(error) });
  const both = AbortSignal.any([signal, stop.signal]);
  const folders = { context: request.source.dir, files, bases: layouts };
  const workshop = await openWorkshop({ ...run, signal: both }, folders);
  try {
    await bringBases(run, workshop, missing);
    await build(run, workshop);
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

/** Content of here-documents, scripts among them ready to run. */
function writeHere(dir: string, files: Scanned['files']): void {
  mkdirSync(dir);
  for (const [path, content] of files) {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, path.startsWith(`${scripts}/`) ? 0o755 : 0o644);
  }
}

/** Copies what the app's storage lacks into it, once; from then on it is there under its name. */
async function bringBases(run: Run, workshop: Workshop, missing: readonly Base[]): Promise<void> {
  for (const [place, { local, id }] of missing.entries()) {
    run.request.progress.detail(
      `Copying ${local.replace('localhost/', '')} into the storage of the app (once)`,
    );
    const copied = await workshop.buildah('pull', ['--quiet', `oci:${baseInside(place)}:image`]);
    await workshop.buildah('tag', [copied, local]);
    writePins(storageNote(run), { ...readPins(storageNote(run)), [local]: id });
  }
}

async function build({ request, operator }: Run, workshop: Workshop): Promise<void> {
  const { flags, env } = buildFlags(request, operator);
  const ignored = ignoreFileOf(request);
  const how = [
    '--isolation=chroot',
    // The sandbox's own.
    '--network=host',
    // What it starts from is in the storage: no registry is asked from in here.
    '--pull-never',
    '--layers',
    '--format=docker',
    ...dropped.map(name => `--cap-drop=${name}`),
    ...flags,
    `--build-context=${hereContext}=/files/here`,
    ...(ignored === undefined ? [] : [`--ignorefile=/context/${ignored}`]),
  ];
  await workshop.buildah('build', [...how, '--file=/files/Dockerfile', `--tag=${tag}`, '/context'], env);
  // The OCI form has no place for HEALTHCHECK and SHELL.
  const form = ['--quiet', '--disable-compression', '--format=v2s2'];
  await workshop.buildah('push', [...form, tag, 'oci:/out/image:app']);
}

/** Which of the names in the storage holds what; beside it, where no build writes. */
function storageNote(run: Run): string {
  return join(storageOf(run), 'bases.json');
}

/** What the image comes from; values of arguments may be secrets, so it is made with a key. */
function keyOf({ request, key }: Run, source: DiffId, bases: readonly Base[]): string {
  const { path, options } = request.dockerfile ?? {};
  const from = bases.map(({ local, id }) => [local, id]);
  const asked = [source, from, path ?? null, givenOf(request), options?.labels ?? {}];
  return createHmac('sha256', key).update(JSON.stringify(asked)).digest('hex');
}

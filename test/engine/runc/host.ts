import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, InstanceSpec } from '../../../src/engine/engine.ts';
import { createEngine, type EngineOptions } from '../../../src/engine/index.ts';
import { exec } from '../../../src/system/exec.ts';
import { silentLog } from '../../../src/system/log.ts';
import { busyboxLayer, makeBusyboxLayer } from '../busybox-layer.ts';

export const mib = 2 ** 20;

export type EngineHost = Awaited<ReturnType<typeof createEngineHost>>;

/** A folder, a tag and a layer of busybox for one test file's engine. */
export async function createEngineHost(
  name: string,
  layers: (root: string) => Promise<void> = async () => {},
) {
  const root = await mkdtemp(join(tmpdir(), `wherry-${name}-`));
  await makeBusyboxLayer(join(root, 'layers', 'b0'));
  await layers(root);
  const tag = randomBytes(4).toString('hex');
  let count = 0;
  return {
    root,
    tag,
    engineRoot: join(root, 'engine'),
    create: (changes: Partial<EngineOptions> = {}): Engine =>
      createEngine('runc', {
        root: join(root, 'engine'),
        tag,
        layerPath: layer => join(root, 'layers', layer.slice('sha256:'.length)),
        layerRoots: [join(root, 'layers')],
        buildRoots: [join(root, 'sandbox')],
        log: silentLog,
        ...changes,
      }),
    spec: (script: string, changes: Partial<InstanceSpec> = {}): InstanceSpec => {
      count += 1;
      return {
        id: `app.web.${count}`,
        group: 'app',
        labels: {},
        hostname: 'web-1',
        layers: [busyboxLayer],
        argv: ['sh', '-c', script],
        env: {},
        workingDir: '/',
        user: { uid: 1000, gid: 1000 },
        limits: { memory: 64 * mib, pids: 20 },
        logFile: join(root, 'logs', `${count}.log`),
        ...changes,
      };
    },
    cleanUp: () => rm(root, { recursive: true, force: true }),
  };
}

/** All that the host shows of a tag or a folder: empty when nothing is left. */
export async function tracesOf({ root, tag }: { root: string; tag: string }): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter(line => line.includes(root) || line.includes(tag));
  const interfaces = (await readdir('/sys/class/net')).filter(name => name.includes(tag));
  const namespaces = existsSync('/run/netns') ? await readdir('/run/netns') : [];
  const tables = (await exec('nft', ['list', 'tables'])).stdout.split('\n');
  const groups = (await readdir('/sys/fs/cgroup')).flatMap(name => [
    join('/sys/fs/cgroup', name),
    join('/sys/fs/cgroup', name, `wherry-${tag}`),
  ]);
  return [
    ...mounts,
    ...interfaces,
    ...namespaces.filter(name => name.includes(tag)),
    ...tables.filter(line => line.includes(tag)),
    ...groups.filter(path => path.includes(tag) && existsSync(path)),
    ...(await processesNaming(root)),
  ];
}

async function processesNaming(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(root)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}

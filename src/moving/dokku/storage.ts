import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { formatVolumeMount, parseVolumeMount, type VolumeMount } from '../../domain/volume.ts';
import { parseJson } from '../answers.ts';
import type { Here } from '../here.ts';
import { type DokkuHost, listed } from './host.ts';

/** Storage by name is made and mounted; what is in it, and folders elsewhere on the host, are for a person to bring. */
export async function moveStorage(host: DokkuHost, app: string, here: Here): Promise<void> {
  const mounts = await host.read(['storage:list', app], readMounts);
  const mounted = await here.mounts(app);
  for (const text of mounts ?? []) {
    const mount = parsed(host, text);
    if (!mount) continue;
    const { source, target } = mount;
    if (source.startsWith('/')) {
      host.left.push(
        `Folder ${quoteForPeople(source)} of that host, which it sees at ${quoteForPeople(target)}, is not storage by name. Bring it here, then: storage:mount ${app} ${source}:${target}`,
      );
      continue;
    }
    host.step('storage:ensure-directory', source);
    if (!mounted.includes(`${source}:${target}`)) host.step('storage:mount', app, formatVolumeMount(mount));
    host.left.push(
      `Files in its storage ${source} do not come. Copy them before the first deploy, as root, from /var/lib/dokku/data/storage/${source}/ of that host: storage:ensure-directory ${source} tells where to.`,
    );
  }
}

function parsed(host: DokkuHost, text: string): VolumeMount | undefined {
  try {
    const mount = parseVolumeMount(text, '/nonexistent');
    if (/^[\w./@+-]{1,300}$/.test(mount.source) && /^[\w./@+-]{1,300}$/.test(mount.target)) return mount;
    host.left.push(`Mount ${quoteForPeople(text)} has an odd path. Mount it by hand.`);
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    host.left.push(error.message);
  }
  return undefined;
}

function readMounts(out: string): readonly string[] {
  if (!out.trimStart().startsWith('[')) return listed(out);
  return (parseJson(out) as unknown[]).map(entry => {
    const fields = (entry ?? {}) as Record<string, unknown>;
    const of = (key: string) => (typeof fields[key] === 'string' ? fields[key] : '');
    const options = of('volume_options');
    return `${of('host_path')}:${of('container_path')}${options === '' ? '' : `:${options}`}`;
  });
}

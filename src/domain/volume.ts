import { posix } from 'node:path';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** A folder of the host that instances of an app see. */
export type VolumeMount = {
  /** A name below the storage folder, or an absolute path of the host. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readonly: boolean;
};

/** Where dokku keeps them: scripts that name it mean a name here. */
const dokkuFolder = '/var/lib/dokku/data/storage/';
/** Never shown to an app: the kernel's, the system's own, and secrets that open the host. */
const closed = ['/proc', '/sys', '/dev', '/boot', '/etc', '/root', '/run', '/var/run'];

/** A name of a volume: a folder below the storage folder. @throws invalid */
export function parseVolumeName(text: string): string {
  if (/^[a-zA-Z0-9][\w.-]{0,99}(?:\/[a-zA-Z0-9][\w.-]{0,99}){0,4}$/.test(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not a name of storage. Use letters, digits, ".", "_" and "-", as in blog or blog/uploads.`,
  );
}

/** `blog:/data`, `/srv/files:/data:ro`. @param own folder of the platform's data, which no app sees @throws invalid */
export function parseVolumeMount(text: string, own: string): VolumeMount {
  const [given = '', target = '', mode = 'rw', ...rest] = text.split(':');
  const modes = mode.split(',');
  if (target === '' || rest.length > 0 || !modes.every(each => /^(?:ro|rw|z|Z)$/.test(each)))
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is not a mount. Write NAME:/PATH or /HOST/PATH:/PATH, with :ro behind it to be read only.`,
    );
  const source = given.startsWith(dokkuFolder) ? given.slice(dokkuFolder.length) : given;
  if (!source.startsWith('/')) parseVolumeName(source);
  else checkHostPath(source, own);
  if (!isPlain(target) || target === '/')
    throw new WherryError(
      'invalid',
      `${quoteForPeople(target)} is no place to mount at. Give an absolute path below /.`,
    );
  return { source, target, readonly: modes.includes('ro') };
}

/** As it was given, in one way of writing. */
export function formatVolumeMount({ source, target, readonly }: VolumeMount): string {
  return `${source}:${target}${readonly ? ':ro' : ''}`;
}

function checkHostPath(path: string, own: string): void {
  const within = (folder: string) => path === folder || path.startsWith(`${folder}/`);
  const around = own === path || own.startsWith(`${path}/`);
  if (!isPlain(path) || path === '/' || closed.some(within) || within(own) || around)
    throw new WherryError(
      'invalid',
      `${quoteForPeople(path)} is not shown to apps. Use storage by name, or another folder of the host.`,
    );
}

function isPlain(path: string): boolean {
  return path.startsWith('/') && posix.normalize(path) === path && !/[\0\n]/.test(path) && !/.\/$/.test(path);
}

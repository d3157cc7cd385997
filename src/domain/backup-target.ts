import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Where backups go: a folder of this host, or a bucket of a server that speaks S3. */
export type BackupTarget =
  | { readonly kind: 'folder'; readonly text: string; readonly path: string }
  | {
      readonly kind: 's3';
      readonly text: string;
      /** Of the server. */
      readonly url: string;
      readonly bucket: string;
      readonly folder: string;
    };

const amazon = 's3.amazonaws.com';

/**
 * An absolute path, `s3://BUCKET[/FOLDER]` of Amazon, `s3://HOST[:PORT]/BUCKET[/FOLDER]`, or `s3+http://...` for a server without
 * TLS. @throws invalid
 */
export function parseBackupTarget(text: string): BackupTarget {
  if (/[\p{Cc}\s]/u.test(text)) throw unknown(text);
  if (text.startsWith('/')) return folderTarget(text);
  const [, plain, rest = ''] = /^s3(\+http)?:\/\/(.+)$/.exec(text) ?? [];
  const [first = '', ...others] = rest.replace(/\/+$/, '').split('/');
  const isHost = /[.:]/.test(first);
  const [bucket = '', ...folder] = isHost ? others : [first, ...others];
  if (!isHost && plain) throw unknown(text);
  const host = isHost ? first : amazon;
  if (!/^[a-z0-9.-]+(:\d{1,5})?$/i.test(host) || !/^[a-z0-9][a-z0-9.-]{1,62}$/.test(bucket))
    throw unknown(text);
  if (folder.some(part => part === '' || part === '.' || part === '..')) throw unknown(text);
  return { kind: 's3', text, url: `${plain ? 'http' : 'https'}://${host}`, bucket, folder: folder.join('/') };
}

function folderTarget(text: string): BackupTarget {
  const parts = text.replace(/\/+$/, '').split('/').slice(1);
  if (parts.length === 0 || parts.some(part => part === '' || part === '.' || part === '..'))
    throw unknown(text);
  return { kind: 'folder', text, path: `/${parts.join('/')}` };
}

function unknown(text: string): WherryError {
  return new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no place for backups. Give an absolute path, s3://BUCKET/FOLDER, or s3://HOST:PORT/BUCKET/FOLDER (s3+http:// without TLS).`,
  );
}

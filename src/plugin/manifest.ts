import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { apiVersion } from './api.ts';
import { isPluginName } from './define-check.ts';

/** What `package.json` says of a plugin, known before any of its code runs. */
export type Manifest = { readonly name: string; readonly version: string; readonly summary: string };

const largest = 256 * 1024;

/** @throws invalid when it is no plugin, or one for another version of the API */
export async function readManifest(folder: string): Promise<Manifest> {
  const parsed = asObject(await readJson(join(folder, 'package.json')));
  const { plugin, api } = asObject(parsed['wherry']);
  if (!isPluginName(plugin))
    throw new WherryError(
      'invalid',
      'Its package.json does not make it a plugin. It needs, for example: "wherry": { "plugin": "greet", "api": 1 }',
    );
  if (api !== apiVersion)
    throw new WherryError(
      'invalid',
      `Plugin ${plugin} is made for version ${quoteForPeople(String(api))} of the plugin API; this Wherry has version ${apiVersion}. Take a release of it that fits.`,
    );
  const [version, summary] = [parsed['version'], parsed['description']].map(value => asLine(value));
  return { name: plugin, version: version || '0.0.0', summary: summary ?? '' };
}

async function readJson(file: string): Promise<unknown> {
  const handle = await open(file).catch(cause => {
    throw new WherryError('invalid', 'There is no package.json in it, so it is no plugin.', { cause });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(largest), 0, largest, 0);
    return JSON.parse(buffer.toString('utf8', 0, bytesRead));
  } catch (cause) {
    throw new WherryError('invalid', 'Its package.json is not JSON, or larger than 256 KiB.', { cause });
  } finally {
    await handle.close();
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function asLine(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200) : '';
}

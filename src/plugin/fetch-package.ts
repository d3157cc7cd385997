import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { ExecError, exec } from '../system/exec.ts';
import { ensureSystemUser } from '../system/system-user.ts';
import { pluginUser } from './program.ts';

const patience = 300_000;
/** Of ours, what npm needs to reach its registry, or the one that the operator has. */
const passedOn = [
  'npm_config_registry',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
];

/** A name of a registry, with a version or not: never a URL, a folder or an option, which npm would take too. @throws invalid */
export function parsePackage(text: string): { name: string; spec: string } {
  const match = /^((?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*)(@[A-Za-z0-9^~][A-Za-z0-9.+-]*)?$/.exec(
    text,
  );
  if (match?.[1] && text.length <= 214) return { name: match[1], spec: text };
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is neither a folder of this host nor an npm package. Give for example /srv/greet or wherry-greet@1.2.0.`,
  );
}

/** An npm package with all that it depends on below an empty folder, by nobody; none of their scripts runs. @returns its own folder */
export async function fetchPackage(
  { name, spec }: { name: string; spec: string },
  { into, caFile, signal }: { into: string; caFile: string; signal: AbortSignal },
): Promise<string> {
  const { uid, gid } = await ensureSystemUser(pluginUser);
  await writeFile(join(into, 'package.json'), '{"private":true}\n');
  await mkdir(join(into, '.npm'));
  for (const path of [into, ...(await readdir(into)).map(entry => join(into, entry))])
    await chown(path, uid, gid);
  const options = ['--ignore-scripts', '--omit=dev', '--omit=peer', '--legacy-peer-deps', '--no-bin-links'];
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-package-lock', '--loglevel=error'];
  try {
    await exec('npm', ['install', ...options, ...quiet, '--', spec], {
      ...{ cwd: into, uid, gid, timeout: patience, signal, maxOutput: 2 ** 20 },
      env: {
        HOME: into,
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
        npm_config_cache: join(into, '.npm'),
        ...Object.fromEntries(
          passedOn.flatMap(key => {
            const value = process.env[key];
            return value === undefined ? [] : [[key, value]];
          }),
        ),
        ...(caFile === '' ? {} : { NODE_EXTRA_CA_CERTS: caFile }),
      },
    });
  } catch (cause) {
    signal.throwIfAborted();
    const said = cause instanceof ExecError ? firstLines(cause.stderr) : '';
    throw new WherryError('unavailable', `Package ${spec} could not be fetched. ${said}`.trim(), { cause });
  }
  return join(into, 'node_modules', name);
}

function firstLines(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 300);
}

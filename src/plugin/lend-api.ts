import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as api from './api.ts';

const place = Symbol.for('wherry/plugin');

/**
 * Makes `import ... from 'wherry/plugin'` in any plugin below the folder give the API of this very process, whatever loads either:
 * an error that a plugin throws must be of the same class as ours. A module of their own folder is all that they can name, and a
 * global the one thing that it shares with us.
 */
export async function lendApi(dir: string): Promise<void> {
  Object.assign(globalThis, { [place]: api });
  const home = join(dir, 'node_modules', 'wherry');
  await mkdir(home, { recursive: true });
  const about = { name: 'wherry', type: 'module', exports: { './plugin': './plugin.js' } };
  await writeFile(join(home, 'package.json'), `${JSON.stringify(about)}\n`);
  const names = Object.keys(api).join(', ');
  await writeFile(
    join(home, 'plugin.js'),
    `export const { ${names} } = globalThis[Symbol.for('wherry/plugin')];\n`,
  );
}

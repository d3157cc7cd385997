import { parseArgs } from 'node:util';
import { WherryError } from '../domain/errors.ts';
import type { Listening } from '../domain/route.ts';

export type EdgeOptions = {
  readonly http: Listening;
  /** Undefined: no HTTPS. */
  readonly https: Listening | undefined;
  /** Holds control.sock and snapshot.json. */
  readonly dir: string;
  /** Undefined: stays who it is. */
  readonly user: string | undefined;
  /** Told to control, which replaces edges of other versions. */
  readonly version: string;
  /** Started by another edge, in its folder and as its user: descriptor 3 listens for HTTP, 4 for HTTPS. */
  readonly inherit: boolean;
};

/** Reads `--http HOST:PORT [--https HOST:PORT] --dir DIR [--user USER] [--version TEXT] [--inherit]`. @throws usage */
export function parseEdgeOptions(argv: readonly string[]): EdgeOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      http: { type: 'string' },
      https: { type: 'string' },
      dir: { type: 'string' },
      user: { type: 'string' },
      version: { type: 'string', default: '' },
      inherit: { type: 'boolean', default: false },
    },
  });
  if (values.http === undefined || values.dir === undefined)
    throw new WherryError(
      'usage',
      'Usage: wherry edge --http HOST:PORT [--https HOST:PORT] --dir DIR [--user USER] [--version TEXT] [--inherit]',
    );
  const https = values.https === undefined ? undefined : parseAddress(values.https);
  const { dir, user, version, inherit } = values;
  return { http: parseAddress(values.http), https, dir, user, version, inherit };
}

function parseAddress(text: string): Listening {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new WherryError('usage', `"${text}" is not an address. Write HOST:PORT, as in 0.0.0.0:80.`);
  return { host: match[1] ?? match[2] ?? '', port };
}

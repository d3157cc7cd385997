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
};

/** Reads `--http HOST:PORT [--https HOST:PORT] --dir DIR [--user USER]`. @throws usage */
export function parseEdgeOptions(argv: readonly string[]): EdgeOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      http: { type: 'string' },
      https: { type: 'string' },
      dir: { type: 'string' },
      user: { type: 'string' },
    },
  });
  if (values.http === undefined || values.dir === undefined)
    throw new WherryError(
      'usage',
      'Usage: wherry edge --http HOST:PORT [--https HOST:PORT] --dir DIR [--user USER]',
    );
  const https = values.https === undefined ? undefined : parseAddress(values.https);
  return { http: parseAddress(values.http), https, dir: values.dir, user: values.user };
}

function parseAddress(text: string): Listening {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new WherryError('usage', `"${text}" is not an address. Write HOST:PORT, as in 0.0.0.0:80.`);
  return { host: match[1] ?? match[2] ?? '', port };
}

import { WherryError } from '../domain/errors.ts';
import type { Listening } from '../domain/route.ts';
import type { EdgeOptions } from './options.ts';
import type { EdgeServer } from './server.ts';

type Bound = { readonly http: Listening; readonly https: Listening | undefined };

/** Takes requests at the addresses of the options, or on the sockets that listen there already. @throws conflict, access-denied */
export async function listen(
  server: EdgeServer,
  { http, https, inherit }: Pick<EdgeOptions, 'http' | 'https' | 'inherit'>,
): Promise<Bound> {
  return {
    http: await bind(http, address => server.listen(address, inherit ? 3 : undefined)),
    https: https && (await bind(https, address => server.listenSecurely(address, inherit ? 4 : undefined))),
  };
}

async function bind(
  address: Listening,
  listenAt: (address: Listening) => Promise<Listening>,
): Promise<Listening> {
  try {
    return await listenAt(address);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const where = `${address.host}:${address.port}`;
    if (code === 'EADDRINUSE')
      throw new WherryError(
        'conflict',
        `Another program listens on ${where} already. Stop it, or choose another --http or --https.`,
      );
    if (code === 'EACCES')
      throw new WherryError('access-denied', `Only root may listen on ${where}. Choose a port from 1024 up.`);
    throw new WherryError('failed', `Cannot listen on ${where}: ${code}.`, { cause: error });
  }
}

import type { Clock } from '../system/clock.ts';
import { every } from '../system/every.ts';
import type { Log } from '../system/log.ts';
import { type Pem, readPem } from './pem.ts';
import { createTcpApi, type TcpOptions, tokensInClear } from './tcp.ts';

type OpenOptions = Omit<TcpOptions, 'tls' | 'ticks'> & {
  /** Paths; no certificate: no TLS. */
  readonly files: { readonly certificate: string; readonly key: string };
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between looks at the files. */
  readonly look?: number;
};

/**
 * Opens the HTTP API on TCP, and takes a certificate that was renewed. One that cannot be used keeps it closed, or goes on with the
 * last, and stops nothing else: apps have to come up after a reboot, also with a certificate that expired meanwhile.
 * @throws invalid when tokens would go in clear, conflict when the address is taken
 */
export async function openTcpApi({ files, clock, log, look = 60_000, ...options }: OpenOptions) {
  const secure = files.certificate !== '';
  if (!secure) tokensInClear(options);
  let api: ReturnType<typeof createTcpApi> | undefined;
  let used: Pem | undefined;

  const open = async (tls: Pem | undefined): Promise<void> => {
    const opening = createTcpApi({ ...options, tls, log, ticks: clock.ticks });
    await opening.listen();
    api = opening;
    used = tls;
  };
  const take = async (): Promise<void> => {
    const pem = readPem(files, clock.now());
    if (!api) return open(pem);
    if (pem.cert === used?.cert && pem.key === used.key) return;
    api.renew(pem);
    used = pem;
    log.info({ certificate: files.certificate }, 'the certificate of the API was renewed');
  };
  const tell = (error: unknown) =>
    log.error({ err: String(error) }, 'the certificate of the API cannot be used');

  if (!secure) await open(undefined);
  else {
    const first = usable(files, clock.now(), tell);
    if (first) await open(first);
  }
  const looks = secure ? every(look, async () => void (await take().catch(tell)), { clock, log }) : undefined;
  return {
    async close(): Promise<void> {
      await looks?.close();
      await api?.close();
    },
  };
}

function usable(files: OpenOptions['files'], now: Date, tell: (error: unknown) => void): Pem | undefined {
  try {
    return readPem(files, now);
  } catch (error) {
    tell(error);
    return undefined;
  }
}

import { WherryError } from '../../domain/errors.ts';
import { portOf } from '../../system/proxy.ts';
import { ask, type DownloadRules, type Headers, type Opened } from '../fetch/download.ts';

const hubHost = 'registry-1.docker.io';

/** A registry's API: by TLS, and without for those that the operator allows when they know none. */
export function createConnection({ registry, rules }: { registry: string; rules: DownloadRules }) {
  const host = registry === 'docker.io' ? hubHost : registry;
  let origin = new URL(`https://${host}`);

  return {
    /** Whether the answer is the registry's own, not one of a host that it redirects to. */
    isOwn: ({ url }: Opened): boolean => url.origin === origin.origin,

    /** @throws access-denied for what must not be fetched; unavailable when nothing answers */
    async ask(path: string, headers: Headers): Promise<Opened> {
      try {
        return await ask(new URL(path, origin), rules, headers);
      } catch (error) {
        const exempt =
          rules.allowed.has(origin.hostname) || rules.allowed.has(`${origin.hostname}:${portOf(origin)}`);
        if (!exempt || origin.protocol !== 'https:' || !speaksNoTls(error)) throw error;
        origin = new URL(`http://${host}`);
        return await ask(new URL(path, origin), rules, headers);
      }
    },
  };
}

function speaksNoTls(error: unknown): boolean {
  const cause = error instanceof WherryError ? error.cause : undefined;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  return /^(EPROTO|ERR_SSL_|ECONNRESET|ECONNREFUSED)/.test(code);
}

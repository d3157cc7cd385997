import { WherryError } from '../../domain/errors.ts';
import { deadline } from '../../system/deadline.ts';
import { parseAllowedHosts } from '../fetch/addresses.ts';
import type { Headers } from '../fetch/download.ts';
import { readOperator } from '../operator.ts';
import { askForToken, basic, type Credentials, isRefusal, parseChallenge } from './challenge.ts';
import { createConnection } from './connection.ts';

/** What a registry says of a name and password: right, or that it asks nobody for one. */
export type LoginCheck = 'right' | 'not-asked';

export type CheckLogin = (
  login: Credentials & { registry: string; signal: AbortSignal },
) => Promise<LoginCheck>;

/** Milliseconds for a registry to judge; a person waits. */
const longest = 20_000;

/** Shows a name and password to a registry, before they are kept. */
export function createLoginCheck(options: {
  allowHosts: string | undefined;
  /** As the settings have it. */
  caFile: string | undefined;
  /** Milliseconds that a registry may take in all. */
  patience?: number;
}): CheckLogin {
  const { patience = longest } = options;
  const allowed = parseAllowedHosts(options.allowHosts);
  const { caFile, proxies } = readOperator(process.env, options.caFile);

  /** @throws access-denied when they are wrong or the host must not be asked; unavailable when nobody can tell */
  return async ({ registry, signal, ...credentials }) => {
    const timer = deadline(patience);
    const rules = { allowed, caFile, proxies, signal: AbortSignal.any([signal, timer]) };
    const connection = createConnection({ registry, rules });
    const statusOf = async (headers: Headers) => {
      const { response } = await connection.ask('/v2/', headers);
      response.destroy();
      return { status: response.statusCode ?? 0, header: response.headers['www-authenticate'] };
    };
    const judge = (status: number, good: boolean): LoginCheck => {
      if (good) return 'right';
      if (isRefusal(status)) throw wrong(registry, credentials.user);
      throw undecided(registry, `it answers with status ${status}`);
    };
    try {
      const { status, header } = await statusOf({});
      if (status === 200) return 'not-asked';
      if (status !== 401) throw undecided(registry, `it answers with status ${status}`);
      const challenge = parseChallenge(header);
      if (!challenge) throw undecided(registry, 'it asks for a login in a way that is not known here');
      if (challenge.kind === 'bearer') {
        const query = { account: credentials.user };
        const answer = await askForToken(challenge, { query, credentials, rules });
        return judge(answer.status, answer.token !== undefined);
      }
      const answer = await statusOf({ authorization: basic(credentials) });
      return judge(answer.status, answer.status === 200);
    } catch (error) {
      if (signal.aborted || !timer.aborted) throw error;
      throw undecided(registry, `it does not answer within ${patience / 1000} s`);
    }
  };
}

function wrong(registry: string, user: string): WherryError {
  return new WherryError(
    'access-denied',
    `Registry ${registry} does not let ${user} in: the name or the password is wrong. Nothing was stored.`,
  );
}

function undecided(registry: string, why: string): WherryError {
  return new WherryError(
    'unavailable',
    `Registry ${registry} cannot tell whether the login is right: ${why}.`,
  );
}

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { EndpointRequest } from '../../src/plugin/api.ts';

/** What a forge says of one delivery, once it is known to be from one that has the secret. */
export type Delivery = {
  readonly event: string;
  /** The same when it is sent again. */
  readonly id: string;
};

/**
 * Who signs how: GitHub and Gitea (Forgejo, Gogs) with an HMAC of the body as it came, GitLab by showing the secret. Gitea says
 * both its own and GitHub's.
 * @returns undefined for whoever does not have the secret, or does not say which delivery it is
 */
export function verify({ headers, body }: EndpointRequest, secret: string): Delivery | undefined {
  const gitlab = headers['x-gitlab-event'];
  if (gitlab !== undefined) {
    const shown = headers['x-gitlab-token'];
    // Hashes are of one length, so that comparing them tells nothing of the secret's.
    if (shown === undefined || !timingSafeEqual(sha256(shown), sha256(secret))) return undefined;
    return delivery(gitlab, headers['idempotency-key'] ?? headers['x-gitlab-event-uuid']);
  }
  const given = headers['x-hub-signature-256']?.replace(/^sha256=/, '') ?? headers['x-gitea-signature'];
  if (given === undefined || !/^[0-9a-f]{64}$/.test(given)) return undefined;
  const right = createHmac('sha256', secret).update(body).digest();
  if (!timingSafeEqual(Buffer.from(given, 'hex'), right)) return undefined;
  return delivery(
    headers['x-gitea-event'] ?? headers['x-github-event'],
    headers['x-gitea-delivery'] ?? headers['x-github-delivery'],
  );
}

function delivery(event: string | undefined, id: string | undefined): Delivery | undefined {
  return event === undefined || id === undefined ? undefined : { event, id };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

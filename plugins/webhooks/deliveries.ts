import { createHash } from 'node:crypto';
import type { Tools } from '../../src/plugin/api.ts';

const name = 'deliveries';
/** Of each app. One that is older than these may come again; what is fetched then is the branch as it is. */
const most = 400;

/**
 * Whether a delivery came before, by its id or by its body: neither sending one again under another id nor another body under its
 * id starts anything. What is new is remembered, over restarts too.
 */
export function cameBefore(
  tools: Pick<Tools, 'kept' | 'keep'>,
  app: string,
  { id, body }: { id: string; body: Buffer },
): boolean {
  const marks = [mark(`id:${id}`), mark(body)];
  const known = tools.kept(name, app)?.split(' ') ?? [];
  if (marks.some(each => known.includes(each))) return true;
  tools.keep(name, [...known, ...marks].slice(-2 * most).join(' '), app);
  return false;
}

function mark(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16);
}

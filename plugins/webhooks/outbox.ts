import { type Tools, WherryError } from '../../src/plugin/api.ts';

/** Milliseconds before each try. */
const pauses = [0, 2_000, 10_000, 60_000, 300_000, 1_800_000];
const mostUnderWay = 500;

/** The name that what is under way is kept under, and how much of it is. */
const place = 'outbox';
const mostKept = 50;

/** What is sent. Where to is not kept with it: it is a secret. */
type Notice = { readonly app: string | undefined; readonly body: unknown };

/** Sends each notice until it is taken, or was tried for half an hour; after a start of the daemon anew. */
export function createOutbox(tools: Pick<Tools, 'post' | 'sleep' | 'failed' | 'kept' | 'keep'>) {
  const over = new AbortController();
  const underWay = new Set<Notice>();
  const keep = () =>
    tools.keep(place, underWay.size === 0 ? undefined : JSON.stringify([...underWay].slice(0, mostKept)));

  const attempt = async (url: string, body: unknown): Promise<string | undefined> => {
    try {
      const status = await tools.post(url, body, over.signal);
      if (status >= 200 && status < 300) return undefined;
      const passes = status === 408 || status === 429 || status >= 500;
      if (!passes) throw new Refused(`it was answered with status ${status}`);
      return `it was answered with status ${status}`;
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (error instanceof WherryError && error.code !== 'unavailable') throw new Refused(error.message);
      return error instanceof Error ? error.message : String(error);
    }
  };

  const deliver = async (url: string, body: unknown): Promise<void> => {
    let why: string | undefined;
    for (const pause of pauses) {
      await tools.sleep(pause, over.signal);
      why = await attempt(url, body);
      if (why === undefined) return;
    }
    throw new Error(`it was given up after ${pauses.length} tries: ${why}`);
  };

  const send = (url: string, notice: Notice): void => {
    if (underWay.size >= mostUnderWay) {
      tools.failed('notify', new Error(`${mostUnderWay} notices are under way already`));
      return;
    }
    underWay.add(notice);
    keep();
    deliver(url, notice.body)
      .catch(error => {
        if (!over.signal.aborted) tools.failed('notify', error);
      })
      .finally(() => {
        if (over.signal.aborted) return;
        underWay.delete(notice);
        keep();
      });
  };

  return {
    /** Returns at once. */
    send,
    /** What was under way when the daemon ended, to where it goes now. */
    resume(urlOf: (app: string | undefined) => string | undefined): void {
      for (const notice of JSON.parse(tools.kept(place) ?? '[]') as readonly Notice[]) {
        const url = urlOf(notice.app);
        if (url !== undefined) send(url, notice);
      }
      keep();
    },
    close: (): void => over.abort(),
  };
}

/** Another try would be answered the same. */
class Refused extends Error {}

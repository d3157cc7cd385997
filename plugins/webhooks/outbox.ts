import { type Tools, WherryError } from '../../src/plugin/api.ts';

/** Milliseconds before each try. */
const pauses = [0, 2_000, 10_000, 60_000, 300_000, 1_800_000];
const mostUnderWay = 500;

/** Sends each notice until it is taken, or was tried for half an hour. What waits is lost when the daemon ends. */
export function createOutbox(tools: Pick<Tools, 'post' | 'sleep' | 'failed'>) {
  const over = new AbortController();
  let underWay = 0;

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

  return {
    /** Returns at once. */
    send(url: string, body: unknown): void {
      if (underWay >= mostUnderWay) {
        tools.failed('notify', new Error(`${mostUnderWay} notices are under way already`));
        return;
      }
      underWay += 1;
      deliver(url, body)
        .catch(error => {
          if (!over.signal.aborted) tools.failed('notify', error);
        })
        .finally(() => {
          underWay -= 1;
        });
    },
    close: (): void => over.abort(),
  };
}

/** Another try would be answered the same. */
class Refused extends Error {}

import { Agent } from 'node:http';
import { type Ask, ask } from './http.ts';
import { sleep } from './until.ts';

export type Tally = { readonly sent: number; readonly failures: readonly string[] };

export interface Traffic {
  /** Requests answered so far. */
  answered(): number;
  /** Sends no more, waits for those under way. */
  end(): Promise<Tally>;
}

/** Steady requests from `clients` visitors at once until ended; any answer but 200 is a failure. */
export function startTraffic(target: Ask, { clients = 4, pause = 5 } = {}): Traffic {
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  let sent = 0;
  let answered = 0;
  let ending = false;
  const visitor = async () => {
    while (!ending) {
      sent += 1;
      try {
        const answer = await ask({ ...target, agent, timeout: 30_000 });
        answered += 1;
        if (answer.status !== 200) failures.push(`${answer.status} ${answer.text.slice(0, 200)}`);
      } catch (error) {
        failures.push(String(error));
      }
      await sleep(pause);
    }
  };
  const visitors = Array.from({ length: clients }, visitor);
  return {
    answered: () => answered,
    async end() {
      ending = true;
      await Promise.all(visitors);
      agent.destroy();
      return { sent, failures };
    },
  };
}

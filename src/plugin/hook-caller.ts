import { WherryError } from '../domain/errors.ts';
import { hooks as allHooks, type HookEvents, type HookName, type Hooks, type ToldHook } from '../hooks.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { withinLimit } from './limit.ts';

/** One of those that take part: a plugin's code, or a program of it. */
export type Participant = {
  /** Of the plugin. */
  readonly name: string;
  readonly part: 'code' | 'program';
  takes(hook: HookName): boolean;
  call(hook: HookName, event: HookEvents[HookName], signal: AbortSignal): Promise<unknown>;
  failed(hook: HookName, error: unknown): void;
};

/** Milliseconds that each may take. */
export const limits = { veto: 60_000, change: 30_000, told: 120_000 } as const;
/** Events that wait for one plugin; what comes when there are as many is dropped, and told as a failure. */
const mostWaiting = 1000;

type Notice = { readonly id: number; readonly hook: ToldHook; readonly event: HookEvents[ToldHook] };
type Waiting = { readonly work: (() => Promise<void>)[]; running: boolean };

/** The hooks, and what of them is to be told after a start. */
export type HookCaller = Hooks & {
  /** What was not told before the daemon ended, perhaps some of it again. */
  resume(): void;
  /** From now on nothing is begun: what waits is told after the next start. */
  stop(): void;
};

/** Joins the pipeline's hooks to whoever takes part now. What is told is kept until it was. */
export function createHookCaller(
  participants: () => readonly Participant[],
  { clock, kept }: { clock: Clock; kept: Store['pluginNotices'] },
): HookCaller {
  const queues = new Map<string, Waiting>();
  let stopped = false;

  const call = async (
    each: Participant,
    hook: HookName,
    event: HookEvents[HookName],
    how: { ms: number; signal?: AbortSignal | undefined },
  ) => await withinLimit(signal => each.call(hook, event, signal), { ...how, clock });

  const told = async (each: Participant, { id, hook, event }: Notice): Promise<void> => {
    if (stopped) return;
    try {
      await call(each, hook, event, { ms: limits.told });
    } catch (error) {
      if (!stopped) each.failed(hook, error);
    }
    if (!stopped) kept.done(id);
  };

  const enqueue = (each: Participant, notice: Notice): void => {
    const queue = queues.get(each.name) ?? { work: [], running: false };
    queues.set(each.name, queue);
    if (queue.work.length < mostWaiting) queue.work.push(() => told(each, notice));
    else {
      each.failed(notice.hook, new Error(`${mostWaiting} events wait for it already`));
      kept.done(notice.id);
    }
    if (!queue.running) void drain(queue);
  };

  return {
    async ask(hook, event, signal) {
      for (const each of participants().filter(one => one.takes(hook))) {
        const answer = await call(each, hook, event, { ms: limits.veto, signal }).catch(error => {
          signal?.throwIfAborted();
          each.failed(hook, error);
          throw new WherryError(
            'failed',
            `Plugin ${each.name} must agree before this goes on, and could not say.`,
            { hint: `See plugin:report ${each.name}, or go on without it: plugin:disable ${each.name}` },
          );
        });
        const veto = vetoOf(answer);
        if (veto !== undefined)
          throw new WherryError('failed', `Plugin ${each.name} does not allow it: ${veto}`);
      }
    },
    async change(hook, event, signal) {
      const added: Record<string, string> = {};
      for (const each of participants().filter(one => one.takes(hook))) {
        try {
          Object.assign(added, checked(await call(each, hook, event, { ms: limits.change, signal })));
        } catch (error) {
          signal?.throwIfAborted();
          each.failed(hook, error);
        }
      }
      return added;
    },
    tell(hook, event) {
      for (const each of participants().filter(one => one.takes(hook)))
        enqueue(each, { id: kept.add(listenerOf(each), hook, event), hook, event });
    },
    resume() {
      for (const { id, listener, hook, event } of kept.left()) {
        const each = participants().find(
          one => listenerOf(one) === listener && isTold(hook) && one.takes(hook),
        );
        if (each && isTold(hook)) enqueue(each, { id, hook, event: event as HookEvents[ToldHook] });
        else kept.done(id);
      }
    },
    stop() {
      stopped = true;
    },
  };
}

function listenerOf({ name, part }: Participant): string {
  return `${name} ${part}`;
}

function isTold(hook: string): hook is ToldHook {
  return Object.hasOwn(allHooks, hook) && allHooks[hook as HookName].kind === 'told';
}

/** One after the other, so that a plugin hears of things in their order. */
async function drain(queue: Waiting): Promise<void> {
  queue.running = true;
  // The teller goes on first.
  await Promise.resolve();
  for (let work = queue.work.shift(); work; work = queue.work.shift()) await work();
  queue.running = false;
}

function vetoOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('veto' in answer)) return undefined;
  return oneLine(String(answer.veto)) || 'it gave no reason.';
}

/** Readable in a terminal, and not endless. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

/** @throws Error when it is no set of environment variables */
function checked(answer: unknown): Readonly<Record<string, string>> {
  if (answer === undefined || answer === null) return {};
  const entries = Object.entries(answer);
  const fits = ([key, value]: [string, unknown]) =>
    /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(key) && typeof value === 'string' && !value.includes('\0');
  if (typeof answer !== 'object' || Array.isArray(answer) || !entries.every(fits))
    throw new Error('it did not answer with environment variables');
  return answer as Readonly<Record<string, string>>;
}

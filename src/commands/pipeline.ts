import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';
import { parseAppName } from '../domain/names.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { Streams } from '../runtime/runtime.ts';
import { diskTrouble } from '../system/disk-trouble.ts';
import { faultPoint } from '../system/fault.ts';
import type { Locks } from '../system/locks.ts';
import type { Log } from '../system/log.ts';
import { auditWords } from './audit-words.ts';
import { appsFor, authorise, mayAll } from './authorise.ts';
import type { Context, Services } from './context.ts';
import type { Access, Command, Confirmation } from './define.ts';
import { noteAudit } from './note-audit.ts';
import { appOf, type Given, type Input, secondAppOf } from './parse.ts';
import { watchRights, whileAllowed } from './rights-watch.ts';

/** Milliseconds that a command waits for whatever is being done to its app. */
const lockWait = 30_000;
const usualLook = 1000;

/** One parsed command, by whom, and how to talk to them. */
export type Call = {
  readonly command: Command;
  readonly input: Input;
  /** What it was parsed from. */
  readonly given: Given;
  readonly actor: Actor;
  readonly quiet: boolean;
  readonly force: boolean;
  readonly progress: Progress;
  readonly stdin: Readable | undefined;
  readonly signal: AbortSignal;
  takeStreams(): Streams;
  /** Asks the person; false when they cannot or do not confirm. */
  ask(question: Confirmation): Promise<boolean>;
};

export type Pipeline = {
  /** Authorise, confirm, lock, run, audit. @throws WherryError */
  run(call: Call): Promise<unknown>;
  /** Any thrown thing as an error for people; a bug is logged under an id. */
  explain(error: unknown, about: { command: string; signal: AbortSignal }): WherryError;
};

/** Of a command whose output is a program's own, when it is asked for as JSON. */
export function hasNoJson(command: Command): WherryError {
  return new WherryError('invalid', `${command.name} has no JSON: its output is the program's own.`);
}

export type PipelineOptions = {
  readonly locks: Locks;
  readonly log: Log;
  /** Milliseconds between looks at the rights of what goes on. */
  readonly look?: number;
};

/** What every front end puts a parsed command through. */
export function createPipeline(
  services: Services,
  { locks, log, look = usualLook }: PipelineOptions,
): Pipeline {
  const perform = async (call: Call): Promise<unknown> => {
    authorise(call.actor, call, services.store);
    return call.command.stream || call.command.tty ? await performWatched(call) : await act(call);
  };

  const performWatched = async (call: Call): Promise<unknown> => {
    const watch = watchRights(call, services, look);
    try {
      const result = await act({ ...call, signal: AbortSignal.any([call.signal, watch.signal]) });
      if (call.command.stream) return whileAllowed(result as AsyncIterable<unknown>, watch);
      watch.stop();
      watch.signal.throwIfAborted();
      return result;
    } catch (error) {
      watch.stop();
      watch.signal.throwIfAborted();
      throw error;
    }
  };

  const act = async (call: Call): Promise<unknown> => {
    const { command, input } = call;
    const context = createContext(services, call);
    const app = appOf(command, input);
    if (app?.exists) context.app(parseAppName(app.name));
    if (command.confirm && !call.force) await confirmed(call, command.confirm(context, input));
    const look = async () => command.run(context, input);
    if (command.effect === 'read' || command.looksOnly?.(input)) return look();
    const work = async () => {
      const result = await look();
      await faultPoint('command:done');
      return result;
    };
    if (!app) return work();
    return locks.with(
      app.name,
      {
        holder: `${command.name} by ${call.actor.name}`,
        wait: lockWait,
        signal: call.signal,
        onWait: holder => call.progress.detail(`Waiting for ${holder} to end`),
      },
      work,
    );
  };

  const explain = (error: unknown, about: { command: string; signal: AbortSignal }): WherryError => {
    const disk = diskTrouble(error, [services.dataDir, services.settings.cache]);
    if (disk) log.error({ command: about.command, err: error }, 'the disk did not take it');
    if (disk) return disk;
    if (error instanceof WherryError) return error;
    if (about.signal.aborted) return new WherryError('interrupted', 'Interrupted.');
    const id = randomBytes(4).toString('hex');
    const stack = error instanceof Error ? error.stack : String(error);
    log.error({ id, command: about.command, err: stack }, 'a command met a bug');
    return new WherryError('failed', `Wherry met a fault of its own (${id}); see the daemon log.`, {
      cause: error,
    });
  };

  return {
    explain,
    async run(call) {
      const start = services.clock.ticks();
      let result = 'ok';
      try {
        return await perform(call);
      } catch (error) {
        const known = explain(error, { command: call.command.name, signal: call.signal });
        result = known.code;
        throw known;
      } finally {
        audit({ services, log, call, result, ms: services.clock.ticks() - start });
      }
    },
  };
}

type Done = {
  readonly services: Services;
  readonly log: Log;
  readonly call: Call;
  readonly result: string;
  readonly ms: number;
};

/** Logs are read by many: they hold names and outcomes only. */
function audit({ services, log, call, result, ms }: Done): void {
  const { command, actor, input, given } = call;
  const fields = {
    actor: actor.name,
    via: actor.via,
    command: command.name,
    app: appOf(command, input)?.name,
    result,
    ms: Math.round(ms * 10) / 10,
  };
  if (command.effect === 'read' && !command.acts) {
    log.debug(fields, 'command');
    return;
  }
  log.info(fields, 'command');
  noteAudit({ ...services, log }, actor, {
    ...{ command: command.name, app: fields.app ?? null, result },
    // Of an app that was not made there is nothing to tell under its name.
    other: result === 'ok' ? (secondAppOf(command, input) ?? null) : null,
    args: auditWords(command, given),
  });
}

function createContext(services: Services, call: Call): Context {
  return {
    ...services,
    actor: call.actor,
    quiet: call.quiet,
    force: call.force,
    progress: call.progress,
    takeStreams: call.takeStreams,
    stdin: call.stdin,
    signal: call.signal,
    app: name => services.store.apps.get(name),
    apps: () => appsFor(call.actor, accessToApps(call.command), services.store),
    ofAll: () => mayAll(call.actor, call.command.access, services.store),
  };
}

/** What everybody may run shows nobody an app that they may not see. */
function accessToApps({ access }: Command): Access {
  return access === 'public' || access === 'self' ? { app: 'read' } : access;
}

async function confirmed(call: Call, question: Confirmation): Promise<void> {
  if (await call.ask(question)) return;
  throw new WherryError(
    'usage',
    `Nothing was done: ${call.command.name} was not confirmed. Type "${question.word}" when asked, or add --force.`,
  );
}

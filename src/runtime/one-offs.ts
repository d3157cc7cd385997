import { randomInt } from 'node:crypto';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ProcessType } from '../domain/names.ts';
import { namelessOn } from '../domain/network.ts';
import type { Engine, Instance } from '../engine/engine.ts';
import type { Log } from '../system/log.ts';
import type { RuntimeOptions } from './create.ts';
import { type Member, promisedBy, specFor } from './member.ts';
import type { Desired, DetachedRun, MemoryNeed, OneOff, OneOffView, Runtime, Streams } from './runtime.ts';

type Parts = {
  readonly engine: Engine;
  readonly log: Log;
  readonly logsDir: string;
  readonly mounts: RuntimeOptions['mounts'];
  readonly networks: RuntimeOptions['networks'];
  readonly admit: (need: MemoryNeed) => Promise<() => void>;
  /** One of the app's own instances, by its name. */
  readonly instanceOf: (app: App, dyno: string) => Member | undefined;
};

type OneOffs = Pick<Runtime, 'run' | 'runDetached' | 'oneOffs' | 'stopOneOff' | 'enter'> & {
  /** Removes a detached one when it has ended. */
  watch(instance: Instance): void;
  /** Bytes that they may use together. */
  reserved(): number;
};

const run = 'run' as ProcessType;
const cron = 'cron' as ProcessType;
/** Milliseconds to wait for memory of the host. */
const patience = 10_000;

/** Commands that people run once: in an instance of their own, or inside one that runs. */
export function createOneOffs({ engine, log, logsDir, mounts, networks, admit, instanceOf }: Parts): OneOffs {
  /** Bytes, by instance. */
  const promised = new Map<string, number>();

  const create = async (
    desired: Desired,
    command: DetachedRun,
    kind: 'attached' | 'detached',
  ): Promise<Instance> => {
    const type = command.cron === undefined ? run : cron;
    const number = randomInt(1000, 10_000);
    const spec = specFor(desired, { type, index: number }, logsDir);
    const bytes = promisedBy(desired, type);
    const back = await admit({
      app: desired.app.name,
      bytes,
      patience,
      signal: command.signal,
    });
    try {
      const instance = await engine.create({
        ...spec,
        mounts: await mounts(desired.app, type),
        networks: namelessOn(networks(desired.app).early),
        argv: [...desired.image.entrypoint, ...command.argv],
        ...(kind === 'attached' && { idle: true }),
        env: { ...spec.env, ...command.env },
        // What is run may hold secrets, and labels are for everybody's eyes: only its first word.
        labels: {
          ...spec.labels,
          ...{ oneoff: kind, command: command.argv[0] ?? '' },
          ...(command.cron !== undefined && { cron: command.cron }),
        },
      });
      promised.set(instance.id, bytes);
      return instance;
    } finally {
      back();
    }
  };

  const remove = async (id: string): Promise<void> => {
    promised.delete(id);
    await engine
      .remove(id)
      .catch(error => log.error({ err: error, id }, 'a one-off instance was not removed'));
  };

  const watch = (
    instance: Instance,
    { timeout, onEnd }: Pick<DetachedRun, 'timeout' | 'onEnd'> = {},
  ): void => {
    if (!promised.has(instance.id)) promised.set(instance.id, instance.limits.memory);
    void engine
      .wait(instance.id, timeout === undefined ? undefined : AbortSignal.timeout(timeout))
      .then(({ code }) => onEnd?.(dynoOf(instance), code))
      // It was removed, or ran too long.
      .catch(() => {})
      .then(() => remove(instance.id));
  };

  const ofApp = async (app: App): Promise<readonly Instance[]> =>
    (await engine.list()).filter(({ labels }) => labels['oneoff'] && labels['app'] === String(app.id));

  return {
    watch: instance => watch(instance),
    reserved: () => [...promised.values()].reduce((sum, bytes) => sum + bytes, 0),
    async run(desired, command) {
      const instance = await create(desired, command, 'attached');
      try {
        await engine.start(instance.id);
        return await attach(engine, instance.id, {
          ...command,
          argv: [...desired.image.entrypoint, ...command.argv],
        });
      } finally {
        await remove(instance.id);
      }
    },
    async runDetached(desired, command) {
      const instance = await create(desired, command, 'detached');
      try {
        await engine.start(instance.id);
      } catch (error) {
        await remove(instance.id);
        throw error;
      }
      watch(instance, command);
      return dynoOf(instance);
    },
    async oneOffs(app) {
      const all = await ofApp(app);
      return all.flatMap((instance): OneOffView[] =>
        instance.status.kind === 'running'
          ? [
              {
                dyno: dynoOf(instance),
                command: instance.labels['command'] ?? '',
                since: instance.status.startedAt,
                detached: instance.labels['oneoff'] === 'detached',
                ...(instance.labels['cron'] !== undefined && { cron: instance.labels['cron'] }),
              },
            ]
          : [],
      );
    },
    async stopOneOff(app, dyno) {
      const found = (await ofApp(app)).find(instance => dynoOf(instance) === dyno);
      if (!found)
        throw new WherryError('not-found', `App ${app.name} runs no one-off ${dyno}.`, {
          hint: `run:list ${app.name}`,
        });
      await engine.signal(found.id, 'SIGTERM');
      await engine.wait(found.id, AbortSignal.timeout(10_000)).catch(() => {});
      await remove(found.id);
    },
    async enter(app, dyno, command) {
      const member = instanceOf(app, dyno);
      if (!member)
        throw new WherryError('not-found', `App ${app.name} has no instance ${dyno}.`, {
          hint: `ps:report ${app.name}`,
        });
      if (member.frozen || member.status === 'asleep')
        throw new WherryError('conflict', `${dyno} of ${app.name} sleeps.`, {
          hint: `sleep:wake ${app.name}`,
        });
      return await attach(engine, member.id, command);
    },
  };
}

async function attach(
  engine: Engine,
  id: string,
  { argv, env, streams, signal }: OneOff & { streams: Streams },
): Promise<number> {
  return await engine.attach(id, { argv, ...streams, ...(env && { env }), ...(signal && { signal }) });
}

/** What control left behind: nobody is at the other end of the attached ones; the detached go on. @returns all other instances */
export async function recoverOneOffs(
  found: readonly Instance[],
  engine: Engine,
  watch: (instance: Instance) => void,
): Promise<readonly Instance[]> {
  for (const instance of found) {
    const kind = instance.labels['oneoff'];
    if (kind === 'detached' && instance.status.kind === 'running') watch(instance);
    else if (kind) await engine.remove(instance.id);
  }
  return found.filter(({ labels }) => !labels['oneoff']);
}

function dynoOf({ labels }: Instance): string {
  return `${labels['type']}.${labels['index']}`;
}

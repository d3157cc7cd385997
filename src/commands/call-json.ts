import type { Readable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { Services } from './context.ts';
import type { Command } from './define.ts';
import { type Given, type Input, parseJson } from './parse.ts';
import { createPipeline, hasNoJson, type PipelineOptions } from './pipeline.ts';

/** Who asked in JSON, and takes the answer as data. */
export interface JsonClient {
  readonly progress: Progress;
  /** Told once a stream begins, which may be long before its first item. */
  open(): void;
  /** The result, or an item of a stream. Resolves when the client can take more. */
  give(value: unknown): Promise<void>;
}

export type JsonCall = {
  readonly command: Command;
  /** Arguments and flags by name. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly force: boolean;
  readonly actor: Actor;
  readonly stdin: Readable;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly client: JsonClient;
};

/** Runs a command whose arguments are JSON. Resolves to the exit status. @throws WherryError, for whatever went wrong */
export type CallJson = (call: JsonCall) => Promise<number>;

/** The way of the HTTP API through the one pipeline. Nobody is asked to confirm: `force` says it, or nothing is done. */
export function createCallJson(services: Services, options: PipelineOptions): CallJson {
  const pipeline = createPipeline(services, options);

  const read = (command: Command, body: Given, actor: Actor): Input => {
    try {
      return parseJson(command, body);
    } catch (error) {
      if (error instanceof WherryError)
        services.refusals.words(actor, { command: command.name, result: error.code });
      throw error;
    }
  };

  return async ({ command, body, force, actor, stdin, signal, client }) => {
    try {
      const input = read(command, body, actor);
      const result = await pipeline.run({
        ...{ command, input, given: body, actor, force, stdin, signal },
        quiet: false,
        progress: client.progress,
        takeStreams() {
          throw hasNoJson(command);
        },
        ask: async () => false,
      });
      if (command.stream) await giveAll(result as AsyncIterable<unknown>, { client, signal });
      else await client.give(result ?? null);
      return command.exit?.(result) ?? 0;
    } catch (error) {
      throw pipeline.explain(error, { command: command.name, signal });
    }
  };
}

async function giveAll(
  items: AsyncIterable<unknown>,
  { client, signal }: { client: JsonClient; signal: AbortSignal },
): Promise<void> {
  client.open();
  for await (const item of items) {
    if (signal.aborted) break;
    await client.give(item);
  }
  signal.throwIfAborted();
}

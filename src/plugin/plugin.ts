import type { Command } from '../commands/define.ts';
import type { Registry } from '../commands/registry.ts';
import { WherryError } from '../domain/errors.ts';
import type { HookName } from '../hooks.ts';
import type { Log } from '../system/log.ts';
import type { Service } from './api.ts';
import { commandsOf } from './commands.ts';
import type { Answerer } from './endpoints.ts';
import type { Participant } from './hook-caller.ts';
import { withinLimit } from './limit.ts';
import type { Loaded } from './load.ts';
import { makeTools, type ToolParts } from './make-tools.ts';
import { runProgram } from './program.ts';
import type { Tools } from './tools.ts';

/** Milliseconds to start or to stop. */
const patience = 10_000;
/** Milliseconds between two events about failures of the same thing; `plugin:report` counts all. */
const quiet = 60_000;

type Failure = { readonly at: Date; readonly where: string; readonly message: string };

export type PluginView = {
  readonly name: string;
  readonly summary: string;
  readonly origin: 'built-in' | 'installed';
  /** Of an installed one. */
  readonly version: string | null;
  readonly status: 'enabled' | 'disabled' | 'unusable';
  readonly hooks: readonly string[];
  readonly commands: readonly string[];
  readonly failures: number;
  readonly last_failure: { readonly at: string; readonly where: string; readonly message: string } | null;
  /** Why it cannot be used. */
  readonly unusable: string | null;
};

type Options = {
  readonly name: string;
  readonly origin: PluginView['origin'];
  readonly version?: string;
} & Loaded;
type Parts = ToolParts & {
  readonly registry: Pick<Registry, 'add' | 'remove' | 'namespace' | 'explainAbsent'>;
  readonly log: Log;
};

/** One plugin over the life of the daemon: off, or on with its commands, hooks and service. */
export class Plugin {
  readonly name: string;
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #tools: Tools | undefined;
  readonly #lastTold = new Map<string, number>();
  #commands: readonly Command[] = [];
  #service: Service | undefined;
  #failures = 0;
  #last: Failure | undefined;
  #runs = false;

  constructor(options: Options, parts: Parts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    const hint = `That is for plugin ${options.name}, which is disabled. An owner enables it: plugin:enable ${options.name}`;
    parts.registry.explainAbsent(options.name, 'definition' in options ? hint : undefined);
    this.#tools =
      'definition' in options
        ? makeTools(options.definition, parts, (where, error) => this.failed(where, error))
        : undefined;
  }

  get runs(): boolean {
    return this.#runs;
  }

  /** What it is where nobody said. */
  get usually(): 'enabled' | 'disabled' {
    return 'definition' in this.#options && this.#options.definition.optIn ? 'disabled' : 'enabled';
  }

  get participants(): readonly Participant[] {
    const { name } = this;
    const options = this.#options;
    const tools = this.#tools;
    if (!('definition' in options) || !tools) return [];
    const handlers: Readonly<Record<string, unknown>> = options.definition.hooks ?? {};
    const failed = (hook: HookName, error: unknown) => this.failed(hook, error);
    return [
      {
        name,
        part: 'code',
        takes: hook => typeof handlers[hook] === 'function',
        async call(hook, event, signal) {
          const handler = handlers[hook];
          return typeof handler === 'function' ? await handler(event, tools, signal) : undefined;
        },
        failed,
      },
      {
        name,
        part: 'program',
        takes: hook => options.programs.has(hook),
        call: async (hook, event) =>
          await runProgram({ file: options.programs.get(hook) ?? '', hook, event }),
        failed,
      },
    ];
  }

  get endpoint(): Answerer | undefined {
    const options = this.#options;
    const tools = this.#tools;
    if (!this.#runs || !('definition' in options) || !tools || !options.definition.endpoint) return undefined;
    const { definition } = options;
    return async (request, signal) => {
      const answer = await definition.endpoint?.(request, tools, signal);
      return answer ?? { status: 404, body: null };
    };
  }

  /** Does nothing when it runs already. @throws conflict when it cannot be used, or a name of a command is taken */
  async begin(): Promise<void> {
    if (this.#runs) return;
    const options = this.#options;
    const tools = this.#tools;
    if (!('definition' in options) || !tools)
      throw new WherryError('conflict', 'unusable' in options ? options.unusable : 'It cannot be used.');
    const { registry, clock } = this.#parts;
    if (registry.namespace(this.name).length > 0)
      throw new WherryError(
        'conflict',
        `Plugin ${this.name} has the name of commands that Wherry has already.`,
      );
    this.#commands = commandsOf(options.definition, tools);
    for (const command of this.#commands) registry.add(command);
    this.#runs = true;
    try {
      this.#service = await withinLimit(() => options.definition.start?.(tools), { ms: patience, clock });
    } catch (error) {
      // Its commands and hooks may serve without.
      this.failed('start', error);
    }
  }

  /** Does nothing when it does not run. */
  async end(): Promise<void> {
    if (!this.#runs) return;
    this.#runs = false;
    for (const { name } of this.#commands) this.#parts.registry.remove(name);
    this.#commands = [];
    const service = this.#service;
    this.#service = undefined;
    try {
      await withinLimit(() => service?.stop(), { ms: patience, clock: this.#parts.clock });
    } catch (error) {
      this.failed('stop', error);
    }
  }

  /** Counts it, and tells of it once a minute at most. */
  failed(where: string, error: unknown): void {
    const { store, clock, log } = this.#parts;
    const message = sayable(error);
    const at = clock.now();
    this.#failures += 1;
    this.#last = { at, where, message };
    log.warn({ plugin: this.name, where, err: error }, 'a plugin failed');
    if (at.getTime() - (this.#lastTold.get(where) ?? Number.NEGATIVE_INFINITY) < quiet) return;
    this.#lastTold.set(where, at.getTime());
    store.events.add({
      at,
      kind: 'plugin-failed',
      message: `Plugin ${this.name} failed at ${where}: ${message}`,
    });
  }

  view(): PluginView {
    const options = this.#options;
    const unusable = 'unusable' in options ? options.unusable : null;
    const last = this.#last;
    return {
      name: this.name,
      summary: 'definition' in options ? options.definition.summary : '',
      origin: options.origin,
      version: options.version ?? null,
      status: unusable !== null ? 'unusable' : this.#runs ? 'enabled' : 'disabled',
      hooks:
        'definition' in options
          ? [...new Set([...Object.keys(options.definition.hooks ?? {}), ...options.programs.keys()])]
          : [],
      commands: this.#commands.map(({ name }) => name),
      failures: this.#failures,
      last_failure: last ? { ...last, at: last.at.toISOString() } : null,
      unusable,
    };
  }
}

/** One line that a terminal can show. */
function sayable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

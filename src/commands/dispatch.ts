import type { Readable, Writable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';
import { plainJson, plainText } from '../domain/plain-text.ts';
import type { Actor } from '../domain/push.ts';
import type { Terminal } from '../domain/terminal.ts';
import { appsFor } from './authorise.ts';
import type { Services } from './context.ts';
import type { Command, Confirmation } from './define.ts';
import { asksForJson, type Globals, readInvocation, readWords } from './grammar.ts';
import { withAppOfFolder } from './here.ts';
import { printed } from './lines.ts';
import { type Given, givenBy, type Input, parseGiven } from './parse.ts';
import { createPipeline, hasNoJson, type Pipeline, type PipelineOptions } from './pipeline.ts';
import { readStdin } from './read-stdin.ts';
import type { Registry } from './registry.ts';
import { createScreen, type Screen } from './screen.ts';

/** A command line from SSH or the local client. */
export type DispatchRequest = {
  readonly words: readonly string[];
  readonly actor: Actor;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly stdin: Readable;
  /** Of a client that has one. */
  readonly terminal?: Terminal | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
};

/** Runs a command line to its end; never throws. Resolves to the exit status. */
export type Dispatch = (request: DispatchRequest) => Promise<number>;

/** The one way from words to a result: find, parse, authorise, lock, run, render, audit. */
export function createDispatch(services: Services, registry: Registry, options: PipelineOptions): Dispatch {
  const pipeline = createPipeline(services, options);
  const { clock, store, refusals } = services;

  return async request => {
    // Of one that they may not see, a word of theirs is no name.
    const isApp = (word: string) =>
      appsFor(request.actor, { app: 'read' }, store).some(app => app.name === word);
    const screen = createScreen(request, {
      quiet: false,
      json: asksForJson(request.words),
    });
    const start = clock.ticks();
    let name = 'unknown';
    let understood = false;
    try {
      const { command, input, given, globals } = understand(registry, request.words, isApp);
      name = command.name;
      understood = true;
      screen.look.quiet = globals.quiet;
      screen.look.json = globals.format === 'json';
      const parsed = clock.ticks();
      const result = await pipeline.run(toCall({ command, input, given, globals }, request, screen));
      const ran = clock.ticks();
      await render(command, { input, result, signal: request.signal }, screen);
      if (globals.trace) {
        const ms = (from: number, to: number) => `${(to - from).toFixed(1)} ms`;
        const [read, run, print] = [ms(start, parsed), ms(parsed, ran), ms(ran, clock.ticks())];
        screen.trace(`trace: ${name} parse ${read}, run ${run}, print ${print}`);
      }
      return command.exit?.(result) ?? 0;
    } catch (error) {
      if (!understood && error instanceof WherryError)
        refusals.words(request.actor, { command: commandIn(registry, request.words), result: error.code });
      return fail(error, { name, request, screen, pipeline });
    }
  };
}

type Understood = {
  readonly command: Command;
  readonly input: Input;
  readonly given: Given;
  readonly globals: Globals;
};

/** Its name, where one is meant; what else stands in its place may be a secret that was pasted there. */
function commandIn(registry: Registry, words: readonly string[]): string {
  const meant = words.map(word => registry.lookup(word)).find(command => command !== undefined);
  return meant?.name ?? 'unknown';
}

/** Finds the command and parses its arguments; every way to ask for help leads to `help`. */
function understand(
  registry: Registry,
  words: readonly string[],
  isApp: (word: string) => boolean,
): Understood {
  const { name, rest, globals } = readInvocation(words);
  const help = (topic: string | undefined): Understood => ({
    command: registry.find('help'),
    input: { topic },
    given: { topic },
    globals,
  });
  if (name === undefined) return help(undefined);
  if (name.endsWith(':help')) return help(name.slice(0, -':help'.length));
  if (globals.help) return help(name);
  const command = registry.lookup(name);
  if (
    !command &&
    rest.every(word => word === '--help' || word === '-h') &&
    registry.namespace(name).length > 0
  )
    return help(name);
  const known = command ?? registry.find(name);
  const sorted = withAppOfFolder(known, readWords(known, rest, globals), { ...globals, isApp });
  if (globals.help) return help(name);
  const given = givenBy(known, sorted);
  return { command: known, input: parseGiven(known, given), given, globals };
}

function toCall({ command, input, given, globals }: Understood, request: DispatchRequest, screen: Screen) {
  return {
    command,
    input,
    given,
    actor: request.actor,
    quiet: globals.quiet,
    force: globals.force,
    progress: screen.progress,
    stdin: request.stdin,
    signal: request.signal,
    takeStreams() {
      if (screen.look.json) throw hasNoJson(command);
      request.terminal?.takeOver();
      const { stdin, stdout, stderr, terminal } = request;
      return { stdin, stdout, stderr, terminal };
    },
    ask: (question: Confirmation) => askByName(question, request, screen),
  };
}

/** dokku's prompt: the person types the name of what will be gone. */
async function askByName(question: Confirmation, request: DispatchRequest, screen: Screen): Promise<boolean> {
  screen.warn(
    `WARNING: Potentially Destructive Action\n${question.warning}\nTo proceed, type "${question.word}"`,
  );
  screen.prompt('> ');
  const typed = await readStdin(request.stdin, { until: 'line', max: 4096, signal: request.signal });
  screen.prompt('\n');
  return typed.trim() === question.word;
}

async function render(
  command: Command,
  { input, result, signal }: { input: Input; result: unknown; signal: AbortSignal },
  screen: Screen,
): Promise<void> {
  const isExact = command.exact || command.verbatim;
  const show = (value: unknown) => {
    if (screen.look.json) return screen.print([plainJson(JSON.stringify(value ?? null))]);
    const lines = printed(command.text(value, input), screen.look.quiet);
    return screen.print(isExact ? lines : lines.map(line => plainText(line)), command.verbatim ? '' : '\n');
  };
  if (!command.stream) return show(result);
  for await (const item of result as AsyncIterable<unknown>) {
    if (signal.aborted) break;
    await show(item);
  }
  signal.throwIfAborted();
}

function fail(
  thrown: unknown,
  about: { name: string; request: DispatchRequest; screen: Screen; pipeline: Pipeline },
): number {
  const { name, request, screen, pipeline } = about;
  const error = pipeline.explain(thrown, { command: name, signal: request.signal });
  // Whoever left needs no word; who stays learns that somebody else stopped it.
  if (error.code !== 'interrupted' || !request.signal.aborted) screen.error(error);
  return error.exitCode;
}

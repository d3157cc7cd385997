import type { ArgKind } from './args.ts';
import type { Context } from './context.ts';
import type { Line } from './lines.ts';
import type { Shape } from './results.ts';

/**
 * Who may run a command; checked in one place before `run`. `read` is a viewer's, `deploy` a deployer's, `write` an admin's, on the
 * app that the command names; without one, on whichever apps `context.apps()` gives. `admin` and `owner` are about the whole host.
 * `self` is every user's: the command itself keeps it to what is theirs.
 */
export type Access = 'public' | 'self' | 'admin' | 'owner' | { readonly app: 'read' | 'deploy' | 'write' };

type Args = Readonly<Record<string, ArgKind<unknown>>>;
type Values<Kinds extends Args> = {
  readonly [Name in keyof Kinds]: Kinds[Name] extends ArgKind<infer Value> ? Value : never;
};
type Input<Positional extends Args, Flags extends Args> = Values<Positional> & Values<Flags>;
/** What `text` is given: the result, or for a stream each item of it. */
type Shown<Result> = Result extends AsyncIterable<infer Item> ? Item : Result;

/** Asked before something is destroyed: the person types `word`, or has said `--force`. */
export type Confirmation = { readonly warning: string; readonly word: string };

/**
 * One command, the only place that says what it is. SSH, the HTTP API, the local client, help, completion and README read it.
 */
export type CommandDefinition<Positional extends Args, Flags extends Args, Result, Given = Context> = {
  /** `namespace:verb`, or one word. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, no final stop. */
  readonly summary: string;
  /** A paragraph: semantics, where it differs from dokku. */
  readonly description?: string;
  /** Command lines without the program's name; a test parses each. */
  readonly examples?: readonly string[];
  /** Key order is positional order. */
  readonly args: Positional;
  /** Keys in camel case; `noRestart` is typed `--no-restart`. */
  readonly flags?: Flags;
  readonly access: Access;
  /** `write` takes the app's lock, is audited, and is POST over HTTP. */
  readonly effect: 'read' | 'write';
  /** Of a `read` command: it does something all the same (starts, stops), needs no lock, is audited, and is POST over HTTP. */
  readonly acts?: true;
  /** The result is an async iterable; its items are shown as they come. */
  readonly stream?: true;
  /** Its text is one line that is printed as it is, without a line's end (an archive). */
  readonly verbatim?: true;
  /** Its text is data for programs, or made plain already: control characters in it stay. */
  readonly exact?: true;
  /** Gives the client's terminal to a program of the app, where there is one. */
  readonly tty?: true;
  /** Reads its standard input (a key, an archive). */
  readonly stdin?: true;
  /** Of a `write` command: whether this input only looks, so that no lock is needed (`ps:scale APP`). */
  looksOnly?(input: Input<Positional, Flags>): boolean;
  /** What must be confirmed before the lock is taken. @throws app-not-found */
  confirm?(context: Given, input: Input<Positional, Flags>): Confirmation;
  /** What `run` gives, or a stream for each item, for readers of its JSON; anything when left out. */
  readonly result?: Shape<Shown<Awaited<Result>>>;
  /** Plain JSON data; never prints. */
  run(context: Given, input: Input<Positional, Flags>): Promise<Result> | Result;
  /** The lines for a person; of a stream, for each item. Pure. */
  text(result: Shown<Awaited<Result>>, input: Input<Positional, Flags>): readonly Line[];
  /** Exit status for a result that is not an error, 0 unless told (`config:get`). */
  exit?(result: Awaited<Result>): number;
};

/** A command of whatever types, as the registry holds it. Those of plugins are given less than the context. */
export type Command<Given = Context> = CommandDefinition<Args, Args, unknown, Given>;

export function defineCommand<Positional extends Args, Result, Flags extends Args = Record<never, never>>(
  definition: CommandDefinition<Positional, Flags, Result>,
): Command {
  return definition as unknown as Command;
}

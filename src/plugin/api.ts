// All that a plugin may import. What is here changes only with `apiVersion`; the rest of Wherry changes as it likes.
import type { ArgKind } from '../commands/args.ts';
import type { Command, CommandDefinition } from '../commands/define.ts';
import type { HookAnswer, HookEvents, HookName } from '../hooks.ts';
import type { CommandTools, Tools } from './tools.ts';

export {
  type ArgKind,
  asText,
  choice,
  flag,
  integer,
  many,
  optional,
  text,
  toggle,
  withDefault,
} from '../commands/args.ts';
export { app, domain, duration, processType } from '../commands/kinds.ts';
export { columns, detail, header, step } from '../commands/lines.ts';
export { noPasswordWord } from '../commands/password.ts';
export { parseAddressList } from '../domain/address-list.ts';
export { WherryError } from '../domain/errors.ts';
export type { StoredHttpAuth } from '../domain/http-auth.ts';
export { quoteForPeople } from '../domain/names.ts';
export { hashPassword } from '../domain/password-hash.ts';
export { checkRedirects, type RedirectCode, type Redirects, redirectCodes } from '../domain/redirect.ts';
export { parseRemoteUrl } from '../domain/remote-url.ts';
export type { HookAnswer, HookEvents, HookName, ToldHook } from '../hooks.ts';
export type { AppView, CommandTools, EdgeRules, Tools } from './tools.ts';

/** What a plugin is made for; one made for another is not loaded. */
export const apiVersion = 1;

type Args = Readonly<Record<string, ArgKind<unknown>>>;

/** A command of a plugin; it is given what a plugin may do, and who asks. */
export type PluginCommand = Command<CommandTools>;

/** As every command of Wherry is defined: front ends, help, access and audit come with it. */
export function defineCommand<Positional extends Args, Result, Flags extends Args = Record<never, never>>(
  definition: CommandDefinition<Positional, Flags, Result, CommandTools>,
): PluginCommand {
  return definition as unknown as PluginCommand;
}

/** What `X:set` sets, by its name. */
export type PluginSetting = {
  /** One line, no final stop. */
  readonly help: string;
  /** Whether it may be set for all apps too. */
  readonly global: boolean;
  /** What it is where nothing was set. */
  readonly usual?: string;
  /** Kept sealed, read from standard input, never shown. */
  readonly secret?: true;
  /** The value as it is kept. @throws WherryError invalid */
  parse(text: string): string;
};

type HookHandlers = {
  readonly [Name in HookName]?: (
    event: HookEvents[Name],
    tools: Tools,
    signal: AbortSignal,
  ) => Promise<HookAnswer<Name>> | HookAnswer<Name>;
};

/** Runs as long as the plugin is enabled. */
export type Service = { stop(): Promise<void> | void };

/** A request for a plugin. Who sent it is not known: anybody may. */
export type EndpointRequest = {
  readonly method: string;
  /** What comes after the plugin's name: `/blog`. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Byte for byte, at most 5 MiB. */
  readonly body: Buffer;
};
export type EndpointAnswer = { readonly status: number; readonly body: unknown };

export type PluginDefinition = {
  /** Lower-case letters, digits and `-`; the namespace of its commands. */
  readonly name: string;
  /** One line, no final stop. */
  readonly summary: string;
  /** Of those that come with Wherry: disabled until somebody enables it. */
  readonly optIn?: true;
  /** `name:verb` each, or the name alone. */
  readonly commands?: readonly PluginCommand[];
  readonly hooks?: HookHandlers;
  /** `<name>:set` and a report come with it. */
  readonly settings?: Readonly<Record<string, PluginSetting>>;
  /** What `<name>:report` shows of an app, besides settings. */
  report?(tools: Tools, app: string): Readonly<Record<string, string>>;
  /** Answers `https://DOMAIN/<name>/...`, where `plugin:set --global domain` says which; in 8 seconds. */
  endpoint?(request: EndpointRequest, tools: Tools, signal: AbortSignal): Promise<EndpointAnswer>;
  start?(tools: Tools): Promise<Service> | Service;
};

/** The default export of a plugin's `index`. */
export function definePlugin(definition: PluginDefinition): PluginDefinition {
  return definition;
}

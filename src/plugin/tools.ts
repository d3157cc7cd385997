import type { StoredHttpAuth } from '../domain/http-auth.ts';
import type { AppName } from '../domain/names.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { Redirects } from '../domain/redirect.ts';

/** An app as plugins see it. */
export type AppView = {
  readonly name: AppName;
  readonly urls: readonly string[];
  readonly domains: readonly string[];
  /** The branch whose pushes build; null until it is set. */
  readonly branch: string | null;
  /** Of the live release; null before the first. */
  readonly version: number | null;
};

/** What the edge answers in place of an app. It stays as it is when the plugin that set it is disabled. */
export type EdgeRules = {
  /** All requests are answered with the maintenance page. */
  readonly maintenance: boolean;
  /** Hosts whose visitors are sent to another. */
  readonly redirects: Redirects;
  /** Whether visitors are asked for a name and password, and who is let in. */
  readonly httpAuth: StoredHttpAuth;
};

/** What a plugin may do at any time. Names of apps are checked by each: an unknown one is `app-not-found`. */
export interface Tools {
  apps(): readonly AppView[];
  /** For any text, also one that is no name of an app. */
  hasApp(name: string): boolean;
  /** @throws app-not-found */
  app(name: string): AppView;
  /** A setting of the plugin as it holds for an app: its own, else that of all, else the usual one. */
  setting(key: string, app?: string): string | undefined;
  /** What the plugin has kept under a name, of an app or of none; it outlives the daemon, and goes with the app. */
  kept(name: string, app?: string): string | undefined;
  /** Some thousands of characters at most. Without text it is forgotten. */
  keep(name: string, text: string | undefined, app?: string): void;
  /** Where the plugin's endpoint is found from outside; undefined where no domain is set. */
  endpointUrl(path: string): string | undefined;
  /**
   * Fetches a branch of a repository and deploys it to an app, unless it runs there already; after whatever is being done to the
   * app. @throws WherryError what a push would be refused with
   */
  deploy(app: string, from: { readonly repository: string; readonly branch: string }): Promise<void>;
  /** Adds to the history of an app, as `events` shows it. No secrets. */
  note(app: string | null, message: string): void;
  /** Counts and tells a failure of the plugin that nobody waits for. */
  failed(where: string, error: unknown): void;
  /** @throws the signal's reason when aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Posts JSON to another host; never to one inside this network, but where the operator allows it. @returns the status
   * @throws WherryError access-denied for such a host, unavailable when nothing answers
   */
  post(url: string, body: unknown, signal: AbortSignal): Promise<number>;
  edgeRules(app: string): EdgeRules;
  /** Resolves when the edge goes by them. */
  setEdgeRules(app: string, rules: Partial<EdgeRules>): Promise<void>;
}

/** What a command of a plugin may do. Of apps there are those alone that whoever asks may see. */
export interface CommandTools extends Tools {
  readonly actor: Actor;
  readonly progress: Progress;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly force: boolean;
  /** The first line on standard input. `hint` is a command line that sends one. @throws WherryError usage when there is none */
  readPassword(hint: string): Promise<string>;
}

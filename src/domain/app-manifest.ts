/** The property that says where in the repository it is. */
export const appJsonPathKey = 'app-json-appjson-path';

/** What an app.json wants of a variable of the app's config. */
export type EnvRule = {
  readonly value?: string;
  /** Made at random, once. */
  readonly secret?: true;
  readonly required: boolean;
  /** Set again with each deploy, whatever it was changed to. */
  readonly sync?: true;
};

/** By variable. */
export type EnvRules = Readonly<Record<string, EnvRule>>;

/** Commands of an app.json that run in an instance of their own, for a shell. */
export type AppScripts = {
  /** Before anything of the new release runs. */
  readonly predeploy?: string;
  /** The release task, where the Procfile has none. */
  readonly release?: string;
  /** Before the first release of an app runs, and never again. */
  readonly first?: string;
  /** When the new release serves. */
  readonly postdeploy?: string;
};

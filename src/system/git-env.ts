export type GitEnvOptions = {
  /** An empty folder that git takes for its home. */
  readonly home: string;
  /** The only configuration that counts, next to the repository's own file. */
  readonly config: readonly (readonly [string, string])[];
  /** Protocols that git may fetch by, as `https:http`; `none` for none. */
  readonly protocols: string;
};

/** git's whole environment: nothing of the daemon's, no system or user configuration, no prompts. */
export function hardenedGitEnv({ home, config, protocols }: GitEnvOptions): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: protocols,
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

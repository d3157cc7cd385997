/** Of an app, or of all: that it may use what everybody's login for the host opens. */
export const gitLoginKey = (host: string): string => `git-login:${host}`;

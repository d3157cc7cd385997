/** What ssh looks at of the person's own. */
export function sshEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TERM', 'DISPLAY', 'SSH_AUTH_SOCK', 'SSH_ASKPASS'];
  return Object.fromEntries(
    names.flatMap(name => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

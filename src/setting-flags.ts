/** Flags of the daemon's settings that take a value; apart from the table so that the client starts without loading it. */
export const settingFlags: ReadonlySet<string> = new Set([
  'data',
  'ssh',
  'http',
  'domain',
  'cache',
  'ca-file',
  'engine',
]);

/** A name as routes know it: lower case, no port, no trailing dot. */
export type Host = string;

const shape = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?(?::[0-9]{1,5})?$/;

/** Parses a Host header or the authority of an absolute-form target; undefined when it is no host at all. */
export function parseHost(text: string): Host | undefined {
  if (text.length > 260) return undefined;
  const name = shape.exec(text.toLowerCase())?.[1];
  return name === undefined || name.includes('..') ? undefined : name;
}

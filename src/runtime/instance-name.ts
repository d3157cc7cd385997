// Names of instances, which are also those of their log files: short, and of characters that every file system and host takes.

/** What the ids of all instances of an app begin with. */
export function instancePrefix(app: string): string {
  return `${short(app, 40)}.`;
}

/** A process type as it is in ids. */
export function shortType(type: string): string {
  return short(type, 20);
}

export function short(text: string, length: number): string {
  return text
    .toLowerCase()
    .replaceAll('_', '-')
    .slice(0, length)
    .replace(/[.-]+$/, '');
}

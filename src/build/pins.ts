import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What each name that somebody gave is held at, until a rebuild asks for what is newest. */
export type Pins = Readonly<Record<string, string>>;

export function readPins(file: string): Pins {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Pins;
  } catch {
    return {};
  }
}

export function writePins(file: string, pins: Pins): void {
  writeFileSync(`${file}.tmp`, JSON.stringify(pins));
  renameSync(`${file}.tmp`, file);
}

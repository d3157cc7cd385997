import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const fixtures = new URL('../fixtures', import.meta.url).pathname;

/** Folder of an app that tells about the place it runs in; no dependencies. */
export const probe = join(fixtures, 'probe');
/** Folder of an Express app with a lock file. */
export const express = join(fixtures, 'apps/express');

/** The probe's server with another text at `/`. */
export function probeSaying(text: string): { 'server.js': string } {
  return { 'server.js': readFileSync(join(probe, 'server.js'), 'utf8').replace('probe one', text) };
}

/** An app that is one Procfile line of shell. */
export function shellApp(line: string): { Procfile: string } {
  return { Procfile: `web: ${line}\n` };
}

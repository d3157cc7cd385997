import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** How people see what an app prints: with its colours, and with the values of its config. */
const logViewProperties = ['colors', 'redact'] as const;
export type LogViewProperty = (typeof logViewProperties)[number];

/** The name that `logs:set` stores it under. */
export function logViewKey(property: LogViewProperty): string {
  return `logs-${property}`;
}

/** @throws invalid */
export function parseLogView(property: LogViewProperty, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new WherryError('invalid', `${property} ${quoteForPeople(text)} is not valid. Give true or false.`);
}

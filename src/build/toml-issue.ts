import type { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  array: 'a list',
  object: 'a table',
  record: 'a table',
  boolean: 'true or false',
  number: 'a number',
};
const units: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

/** What is wrong with a value and where: `processes[1].command: is not a list`. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path
    .map(key => (typeof key === 'number' ? `[${key + 1}]` : `.${String(key)}`))
    .join('');
  return `${place.replace(/^\./, '') || 'the document'}: ${textOf(issue)}`;
}

function textOf(issue: z.core.$ZodIssue): string {
  // One that says it in words of its own.
  if (!/^(Invalid|Too) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `is not ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_union':
      return 'is of the wrong kind';
    case 'too_big':
      return `has more than ${issue.maximum} ${units[issue.origin] ?? ''}`.trim();
    case 'too_small':
      return 'is empty';
    default:
      return issue.message;
  }
}

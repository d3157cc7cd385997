/** A part of an answer that comes in parts. */
export type Event = {
  readonly kind: 'item' | 'progress' | 'result' | 'problem' | 'end';
  readonly value: unknown;
};

export type Form = keyof typeof forms;

/** How parts are written. JSON has no line's end of its own in either. */
export const forms = {
  /** An item is a line as it is; other parts are named by their only key; a blank line is a sign of life. */
  ndjson: {
    type: 'application/x-ndjson',
    heartbeat: '\n',
    write({ kind, value = null }: Event): string {
      if (kind === 'end') return '';
      return `${JSON.stringify(kind === 'item' ? value : { [kind]: value })}\n`;
    },
  },
  /** Server-sent events, as browsers read them; an item is a `message`. */
  sse: {
    type: 'text/event-stream; charset=utf-8',
    heartbeat: ':\n\n',
    write({ kind, value = null }: Event): string {
      return `${kind === 'item' ? '' : `event: ${kind}\n`}data: ${JSON.stringify(value)}\n\n`;
    },
  },
} as const;

/** The form that `Accept` names first; undefined when it names none. */
export function formOf(accept: string | undefined): Form | undefined {
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const type = part.split(';')[0]?.trim();
    if (type === 'text/event-stream') return 'sse';
    if (type === 'application/x-ndjson') return 'ndjson';
    if (type === 'application/json') return undefined;
  }
  return undefined;
}

import { plainText } from '../domain/plain-text.ts';
import type { Progress } from '../domain/push.ts';
import { longestLine } from './lifecycle/output.ts';

/** What stands where a secret was. */
export const masked = '[masked]';

/** Characters below which a value is taken for no secret: `true`, `5000`, `web`. */
const shortest = 6;
/** Of what is write-only: it was called a secret. */
const shortestSecret = 4;
/** Longer ones that everybody has, and that hiding would make a riddle of what is shown. */
const ordinary = new Set(
  [
    ...['production', 'development', 'staging', 'testing', 'preview', 'default', 'enabled', 'disabled'],
    ...['localhost', '127.0.0.1', '0.0.0.0', 'postgres', 'postgresql', 'warning', 'verbose', 'silent'],
    ...['Etc/UTC', 'en_US.UTF-8', 'C.UTF-8', 'node_modules', 'nodejs', 'python', 'master'],
  ].map(word => word.toLowerCase()),
);

export type Mask = ReturnType<typeof createMask>;

/** Hides the values of an app's config in what is shown: each as a whole, and one of several lines also line by line. */
export function createMask(config: Readonly<Record<string, string>>, writeOnly: readonly string[] = []) {
  const secrets = secretsIn(config, new Set(writeOnly));
  const any = anyOf(secrets);
  let cutBefore = false;

  // Made plain first: what a terminal does not show would part a secret.
  const text = (raw: string): string => {
    const given = plainText(raw);
    if (!any.test(given)) return given;
    const hidden = new Uint8Array(given.length);
    for (const secret of secrets) hideAll(given, secret, hidden);
    return show(given, hidden);
  };

  return {
    text,
    /**
     * The next line of a program's output. One as long as lines may be was cut: what is left of a secret on both sides of
     * the cut is hidden too.
     */
    line(raw: string): string {
      const cut = raw.length >= longestLine;
      const given = plainText(raw);
      if (!cut && !cutBefore) return text(given);
      const hidden = new Uint8Array(given.length);
      for (const secret of secrets) {
        hideAll(given, secret, hidden);
        if (secret.includes(given)) hidden.fill(1);
        if (cut) hidden.fill(1, given.length - overlap(given, secret));
        if (cutBefore) hidden.fill(1, 0, overlap(secret, given));
      }
      cutBefore = cut;
      return show(given, hidden);
    },
  };
}

/** Progress that shows no secret. */
export function maskProgress(progress: Progress, mask: Mask): Progress {
  return {
    header: text => progress.header(mask.text(text)),
    step: text => progress.step(mask.text(text)),
    detail: text => progress.detail(mask.text(text)),
    warn: text => progress.warn(mask.text(text)),
    raw: line => progress.raw(mask.line(line)),
  };
}

function secretsIn(
  config: Readonly<Record<string, string>>,
  writeOnly: ReadonlySet<string>,
): readonly string[] {
  const parts = Object.entries(config).flatMap(([key, value]) => {
    const all = [value, ...value.split(/\r?\n/).map(line => line.trim())];
    return all.filter(part =>
      writeOnly.has(key)
        ? part.length >= shortestSecret
        : part.length >= shortest && !ordinary.has(part.toLowerCase()),
    );
  });
  return [...new Set(parts)];
}

/** Most text holds none, which one pass tells; whoever has a secret has its beginning, and patterns must not be endless. */
function anyOf(secrets: readonly string[]): RegExp {
  const beginnings = secrets.map(secret => secret.slice(0, 32).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(beginnings.length === 0 ? '(?!)' : beginnings.join('|'));
}

/** Marks every place of the secret, also those that overlap one another. */
function hideAll(text: string, secret: string, hidden: Uint8Array): void {
  let done = 0;
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
    hidden.fill(1, Math.max(at, done), at + secret.length);
    done = at + secret.length;
  }
}

/** How many of the last characters of `left` are the first of `right`, the most there are. */
function overlap(left: string, right: string): number {
  const [first = ''] = right;
  const from = Math.max(0, left.length - right.length);
  for (let at = left.indexOf(first, from); at >= 0; at = left.indexOf(first, at + 1)) {
    if (right.startsWith(left.slice(at))) return left.length - at;
  }
  return 0;
}

function show(text: string, hidden: Uint8Array): string {
  if (!hidden.includes(1)) return text;
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const flips = hidden.indexOf(hidden[at] === 1 ? 0 : 1, at);
    const end = flips < 0 ? text.length : flips;
    parts.push(hidden[at] === 1 ? masked : text.slice(at, end));
    at = end;
  }
  return parts.join('');
}

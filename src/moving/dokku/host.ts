import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { hasControls, understood } from '../answers.ts';
import { Notes } from '../moves.ts';
import { type Report, readJsonReport, readTextReport } from './report.ts';
import type { Link } from './ssh-link.ts';

/** `absent`: this dokku has no such command, as where a plugin is not installed. */
export type Answer =
  | { readonly kind: 'said'; readonly out: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly why: string };

/** Asks a dokku host, and collects what is to be done about one app of it, or about the host itself. */
export class DokkuHost extends Notes {
  /** As ssh and dokku name it. */
  readonly address: string;
  readonly #link: Link;
  readonly #reports = new Map<string, Promise<Report | undefined>>();

  constructor(address: string, link: Link) {
    super();
    this.address = address;
    this.#link = link;
  }

  /** Fresh notes for another app of the host. */
  another(): DokkuHost {
    return new DokkuHost(this.address, this.#link);
  }

  /** @throws invalid when it says what no dokku says */
  async ask(...words: readonly string[]): Promise<Answer> {
    const { code, out, err } = await this.#link(words);
    if (hasControls(out) || hasControls(err))
      throw new WherryError(
        'invalid',
        `${this.address} answered ${words[0]} with control characters, which dokku never does. Nothing of it is used.`,
      );
    if (code === 0) return { kind: 'said', out };
    if (/is not a (known )?dokku command/.test(err + out)) return { kind: 'absent' };
    const line = err.split('\n').find(each => each.trim() !== '') ?? `exit status ${code}`;
    return { kind: 'refused', why: line.replace(/^\s*!\s*/, '').trim() };
  }

  /** Reads an answer to the end, or notes what cannot be had. `read` throws on what dokku would not say. */
  async read<Value>(words: readonly string[], read: (out: string) => Value): Promise<Value | undefined> {
    const answer = await this.ask(...words);
    if (answer.kind === 'said') return understood(this.address, words, () => read(answer.out));
    if (answer.kind === 'refused') this.left.push(couldNot(words, answer.why));
    return undefined;
  }

  /** `X:report APP` in either form, asked once; undefined where that dokku has none. */
  report(namespace: string, app: string, prefix = `${namespace}-`): Promise<Report | undefined> {
    const known = this.#reports.get(namespace) ?? this.#report(namespace, app, prefix);
    this.#reports.set(namespace, known);
    return known;
  }

  async #report(namespace: string, app: string, prefix: string): Promise<Report | undefined> {
    const words = [`${namespace}:report`, app];
    const json = await this.ask(...words, '--format', 'json');
    if (json.kind === 'absent') return undefined;
    if (json.kind === 'said' && json.out.trimStart().startsWith('{'))
      return understood(this.address, words, () => readJsonReport(json.out, prefix));
    return await this.read(words, out => readTextReport(out, prefix));
  }
}

/** Lines of a list, without dokku's headers. */
export function listed(out: string): string[] {
  return out
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !/^(=====>|----->|!)/.test(line));
}

function couldNot(words: readonly string[], why: string): string {
  return `${words.join(' ')} was refused there: ${quoteForPeople(why)}. Look at it by hand.`;
}

import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import { splitWords } from './words.ts';

export type DockerOption = {
  readonly name: string;
  readonly value: string | undefined;
  readonly words: readonly string[];
};

/** One option of docker as it is written: `--name value`, `--name=value`, `--name`. @throws invalid */
export function readOption(text: string): DockerOption {
  if (text.length > 32_768 || /[\0\n\r]/.test(text))
    throw refusedOption(text, 'is longer than 32 KiB or has line breaks');
  const words = wordsOf(text);
  const [first = '', ...rest] = words;
  const at = first.indexOf('=');
  const name = at < 0 ? first : first.slice(0, at);
  const inline = at < 0 ? [] : [first.slice(at + 1)];
  const values = [...inline, ...rest];
  if (values.length > 1)
    throw refusedOption(text, 'is more than one option. Give each by itself, values with blanks in quotes');
  return { name, value: values[0], words };
}

/** `NAME=VALUE`, or a name alone. @throws invalid */
export function readPair(given: string | undefined, text: string, form: RegExp) {
  const at = (given ?? '').indexOf('=');
  const name = at < 0 ? (given ?? '') : (given ?? '').slice(0, at);
  if (!form.test(name)) throw refusedOption(text, 'has no name that fits. Give NAME=VALUE');
  return { name, value: at < 0 ? undefined : (given ?? '').slice(at + 1) };
}

/** @throws invalid */
export function readSwitch(given: string | undefined, text: string): boolean {
  if (given === undefined || given === 'true' || given === 'false') return given !== 'false';
  throw refusedOption(text, 'is either there or not');
}

/** Shows the option's name alone: its value may be a secret. */
export function refusedOption(text: string, why: string, cause?: unknown): WherryError {
  const name = /^[^\s=]*/.exec(text)?.[0] ?? '';
  return new WherryError('invalid', `Docker option ${quoteForPeople(name)} ${why}.`, { cause });
}

function wordsOf(text: string): readonly string[] {
  try {
    return splitWords(text);
  } catch (cause) {
    throw refusedOption(text, 'has a quote that is open', cause);
  }
}

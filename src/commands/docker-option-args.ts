import { type Phase, phases } from '../domain/docker-option.ts';
import type { OptionPlace } from '../domain/docker-option-place.ts';
import { WherryError } from '../domain/errors.ts';
import type { ProcessType } from '../domain/names.ts';
import { type ArgKind, asList, asText, flag, many, optional, shown } from './args.ts';
import { processType } from './kinds.ts';

/** `build`, `build,deploy`. */
export const phaseList: ArgKind<readonly Phase[]> = {
  word: 'phase(s)',
  required: true,
  schema: { type: 'string' },
  parse: value =>
    asText(value, 'phase(s)')
      .split(',')
      .map(name => {
        const found = phases.find(phase => phase === name);
        if (found) return found;
        throw new WherryError(
          'invalid',
          `Phase(s) must be one of [${phases.join('|')}], not ${shown(name)}.`,
        );
      }),
};

/** One option as docker has it, kept word by word; words with blanks are quoted again. */
export const option: ArgKind<string> = {
  word: 'option',
  secret: 'assigned',
  required: true,
  rest: true,
  verbatim: true,
  schema: { type: 'string' },
  parse(value) {
    const words = asList(value).map(word => asText(word, 'option'));
    if (words.length === 1) return words[0]?.trim() ?? '';
    return words.map(word => (/[\s'"\\]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : word)).join(' ');
  },
};

export const process = flag(optional(many(processType)), {
  help: 'of the phase deploy, for this process type alone; may be given several times',
});

/** Phases, or process types of the phase deploy. @throws invalid for types of other phases */
export function placesOf({
  phases: chosen,
  process: types,
}: {
  readonly phases: readonly Phase[];
  readonly process?: readonly ProcessType[] | undefined;
}): readonly OptionPlace[] {
  if (!types) return chosen.map(phase => ({ phase }));
  const other = chosen.find(phase => phase !== 'deploy');
  if (other === undefined) return types.map(type => ({ phase: 'deploy', type }));
  throw new WherryError('invalid', `--process counts for the phase deploy alone. Leave out ${other}.`);
}

/** `deploy`, or `deploy.worker`. */
export function nameOf({ phase, type }: OptionPlace): string {
  return type === undefined ? phase : `${phase}.${type}`;
}

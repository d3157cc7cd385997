import { checkDockerOption, type Phase, phases } from '../../domain/docker-option.ts';
import { splitWords } from '../../domain/words.ts';
import { sift } from '../sift.ts';
import { type DokkuHost, listed } from './host.ts';

/** Kept there among the options, and brought by commands of their own. */
const elsewhere = /^(--restart\b|-v\b|--volume\b|--link[ =]dokku\.)/;

/** Those that have a meaning here. Of the others the name alone is told: a value may be a secret. */
export async function moveDockerOptions(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('docker-options', app);
  for (const phase of phases) {
    const options = await optionsOf(host, app, phase, report?.get(phase) ?? '');
    const own = options.filter(each => !elsewhere.test(each));
    for (const option of sift(own, host.left, each => checkDockerOption(each, phase)))
      host.steps.push({
        words: ['docker-options:add', app, phase, option],
        shown: [
          'docker-options:add',
          app,
          phase,
          option.replace(/^(--build-arg)[ =]'?(\w+)=.*$/s, '$1 $2=...'),
        ],
      });
  }
}

async function optionsOf(
  host: DokkuHost,
  app: string,
  phase: Phase,
  reported: string,
): Promise<readonly string[]> {
  if (reported === '') return [];
  const answer = await host.ask('docker-options:list', app, phase);
  return answer.kind === 'said' ? listed(answer.out) : splitOptions(reported);
}

/** All of a phase in one line, as older reports have them: each begins with a dash. */
function splitOptions(line: string): readonly string[] {
  const options: string[] = [];
  for (const word of splitWords(line)) {
    const text = /[\s'"\\]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : word;
    if (word.startsWith('-') || options.length === 0) options.push(text);
    else options.push(`${options.pop()} ${text}`);
  }
  return options;
}

import type { Moves, Plan, Step } from './moves.ts';

/** All that would be done, as commands of Wherry, and what is for a person. */
export function planLines(plan: Plan): readonly string[] {
  const apps = plan.apps.length === 1 ? '1 app' : `${plan.apps.length} apps`;
  return [
    `=====> From ${plan.from}: ${apps}`,
    ...stepLines('for all apps', plan.host),
    ...plan.apps.flatMap(app => stepLines(app.app, app)),
  ];
}

/** How the code comes, and what does not come along. */
export function restLines(plan: Plan): readonly string[] {
  const parts = [['for all apps', plan.host] as const, ...plan.apps.map(app => [app.app, app] as const)];
  const section = (title: string, pick: (moves: Moves) => readonly string[]) => {
    const some = parts.filter(([, moves]) => pick(moves).length > 0);
    if (some.length === 0) return [];
    return [
      `=====> ${title}`,
      ...some.flatMap(([name, moves]) => [
        `-----> ${name}`,
        ...[...new Set(pick(moves))].map(line => `       ${line}`),
      ]),
    ];
  };
  return [
    ...section('What is left to do', moves => moves.later),
    ...section('What does not come along', moves => moves.left),
  ];
}

/** As it could be typed; what goes on standard input is only named. */
export function shownStep({ words, shown = words, note }: Step): string {
  return `wherry ${shown.map(quoted).join(' ')}${note === undefined ? '' : ` # ${note}`}`;
}

function stepLines(name: string, { steps }: Moves): readonly string[] {
  if (steps.length === 0) return [];
  return [`-----> ${name}`, ...steps.map(step => `       ${shownStep(step)}`)];
}

/** A word that a shell reads as it is; nothing in it moves a terminal. */
function quoted(word: string): string {
  if (/^[\w.:=,/@%+*#-]+$/.test(word)) return word;
  const plain = word.replace(/\p{Cc}|\p{Cf}/gu, char => `\\u{${char.codePointAt(0)?.toString(16)}}`);
  return `'${plain.replaceAll("'", `'\\''`)}'`;
}

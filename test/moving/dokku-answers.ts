// What a dokku host says, in the form of its newer versions (JSON reports) or of its older ones (text alone).

export type DokkuAnswer = { readonly code?: number; readonly out?: string; readonly err?: string };
export type DokkuAnswers = (words: readonly string[]) => DokkuAnswer | 'hang';

type Values = Readonly<Record<string, string>>;
export type DokkuApp = {
  readonly config?: Values;
  readonly reports?: Readonly<Record<string, Values>>;
  readonly scale?: Readonly<Record<string, number>>;
  readonly storage?: readonly string[];
  /** Answers to other commands about the app, by their name and what follows the app: `certs:show crt`. */
  readonly says?: Readonly<Record<string, string>>;
};
export type DokkuState = {
  readonly form: 'new' | 'old';
  readonly global?: Values;
  /** Answers to whole command lines. */
  readonly says?: Readonly<Record<string, string>>;
  readonly apps: Readonly<Record<string, DokkuApp>>;
};

/** Keys in the text of reports have the word of the report in front. */
const labels: Readonly<Record<string, string>> = { certs: 'ssl', apps: 'app' };

export function answersOf(state: DokkuState): DokkuAnswers {
  return words => {
    const [command = '', ...rest] = words;
    const format = rest.includes('--format') ? rest[rest.indexOf('--format') + 1] : undefined;
    const [name = '', ...more] = rest.filter(word => word !== '--format' && word !== format);
    if (command === 'apps:list') return { out: `=====> My Apps\n${lines(Object.keys(state.apps))}` };
    if (command === 'config:export' && rest.includes('--global')) return json(state.global ?? {});
    const ofHost = state.says?.[words.join(' ')];
    if (ofHost !== undefined) return { out: ofHost };
    if (!Object.hasOwn(state.apps, name) && !command.includes(':report')) return unknown(words);
    const app: DokkuApp | undefined =
      name === '--global' ? { reports: { domains: { 'global-vhosts': '' } } } : state.apps[name];
    if (!app) return { code: 20, err: ` !     App ${name} does not exist\n` };
    if (command === 'config:export') return json(app.config ?? {});
    if (command === 'ps:scale') return { out: scale(name, app.scale ?? { web: 1 }) };
    if (command === 'storage:list')
      return {
        out: `=====> ${name} volume bind-mounts:\n${lines((app.storage ?? []).map(each => `     ${each}`))}`,
      };
    const said = app.says?.[[command, ...more].join(' ')];
    if (said !== undefined) return { out: said };
    const namespace = /^(.+):report$/.exec(command)?.[1];
    const values = namespace === undefined ? undefined : app.reports?.[namespace];
    if (namespace === undefined || values === undefined) return unknown(words);
    const label = labels[namespace] ?? namespace;
    if (format === undefined) return { out: text(name, label, values) };
    if (state.form === 'old') return { code: 1, err: ' !     Invalid flag passed, valid flags: --a, --b\n' };
    return json({ ...values, ...prefixed(label, values) });
  };
}

function unknown(words: readonly string[]): DokkuAnswer {
  return { code: 1, err: ` !     \`${words.join(' ')}\` is not a dokku command.\n` };
}

function json(values: Values): DokkuAnswer {
  return { out: `${JSON.stringify(values)}\n` };
}

function prefixed(label: string, values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${label}-${key}`, value]));
}

function text(app: string, label: string, values: Values): string {
  const rows = Object.entries(prefixed(label, values)).map(([key, value]) => {
    const words = key.replace(/[-.]/g, ' ');
    return `       ${`${words.charAt(0).toUpperCase()}${words.slice(1)}:`.padEnd(31)} ${value}`;
  });
  return lines([`=====> ${app} ${label} information`, ...rows]);
}

function scale(app: string, counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).map(([type, count]) => `${`${type}:`.padEnd(5)} ${count}`);
  return lines([`-----> Scaling for ${app}`, 'proctype: qty', '--------: ---', ...rows]);
}

function lines(all: readonly string[]): string {
  return all.map(line => `${line}\n`).join('');
}

import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { type ProcessType, parseProcessType, quoteForPeople } from '../domain/names.ts';
import {
  type KnobName,
  knobKey,
  knobNames,
  knobs,
  readScalingRules,
  type ScalingRules,
  shownKnob,
} from '../domain/scaling.ts';
import type { Explanation } from '../scale/scaler.ts';
import { many, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app, appOrGlobal } from './kinds.ts';
import { columns, header } from './lines.ts';
import { defineReport } from './report.ts';
import { readSettingWords, setProperties } from './setting-words.ts';

const web = parseProcessType('web');

const set = defineCommand({
  name: 'autoscale:set',
  summary: 'Set how the web process of an app scales by itself, to zero and back',
  description: [
    'For one app or, with --global, for all that have nothing of their own. A setting without value (max=) is unset. An app scales by itself once min or max is set, here or as formation.web.autoscaling of its app.json, which gives way to what is set here; until then it runs what ps:scale says, always.',
    ...knobNames.map(name => `${name}: ${knobs[name].help}${usually(name)}.`),
    'With min=0 it sleeps when nobody uses it: frozen first, which a request ends in milliseconds, later stopped, which costs no memory. A request waits until it is awake. Takes effect at once.',
  ].join(' '),
  examples: [
    'autoscale:set blog min=0',
    'autoscale:set blog web min=0 max=4 target=20 idle=15m wake-timeout=30s',
    'autoscale:set blog max=',
    'autoscale:set --global idle=5m',
  ],
  args: { app: appOrGlobal, settings: many(text('setting=value')) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const { type, words } = typeAndWords(input.settings);
    const given = readSettingWords(words, knobNames, name => knobs[name].parse);
    const scope = owner ? `app:${owner.id}` : 'global';
    const after = (name: KnobName) =>
      given.has(name) ? given.get(name) : context.store.properties.get(scope, knobKey(type, name));
    const said = owner && context.deployer.formation(owner)[type];
    const resolved = (name: KnobName) =>
      after(name) ?? said?.autoscaling?.[name] ?? context.store.properties.get('global', knobKey(type, name));
    const scale = (owner && context.store.formation.get(owner).get(type)) ?? said?.quantity ?? 1;
    // Refuses what does not fit together before anything is stored.
    const rules = readScalingRules(owner ? resolved : after, scale);
    setProperties(context, { owner, given, keyOf: name => knobKey(type, name), event: 'autoscale' });
    if (owner) context.deployer.rescale(owner);
    await context.deployer.applyRoutes();
    return { app: owner?.name ?? null, process: type, ...shownRules(rules) };
  },
  text: () => [],
});

const report = defineReport({
  name: 'autoscale:report',
  summary:
    'Show how one app or all scale by themselves: as set, by app.json, for all apps, and as it works out',
  examples: ['autoscale:report blog', 'autoscale:report blog --autoscale-computed-web-min'],
  title: 'autoscale',
  prefix: 'autoscale-',
  values: (context, each) => {
    const rules = context.deployer.scaling(each, web);
    const own = context.deployer.formation(each)[web]?.autoscaling;
    const stored = (scope: string, name: KnobName) =>
      context.store.properties.get(scope, knobKey(web, name)) ?? '';
    return {
      ...Object.fromEntries(
        knobNames.flatMap(name => [
          [`web-${name}`, stored(`app:${each.id}`, name)],
          [`app-json-web-${name}`, own?.[name] ?? ''],
          [`global-web-${name}`, stored('global', name)],
          [`computed-web-${name}`, shownKnob(rules, name)],
        ]),
      ),
      'web-automatic': String(rules.automatic),
      'web-count': String(webCount(context, each)),
    };
  },
});

const explain = defineCommand({
  name: 'autoscale:explain',
  summary: 'Say why an app runs as many instances as it does',
  examples: ['autoscale:explain blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    const found = context.scaler.explain(owner.name);
    const rules = context.deployer.scaling(owner, web);
    const busyUntil = context.leases.busyUntil(owner);
    return {
      app: owner.name,
      process: web,
      instances: found?.group.count ?? webCount(context, owner),
      ready: found?.group.ready ?? null,
      asleep: found?.group.asleep ?? null,
      why: found ? wordsOf(found) : whyFixed(owner, rules),
      mean_in_flight: found ? { stable: found.signal.stable, panic: found.signal.panic } : null,
      busy_until: busyUntil === 0 ? null : new Date(busyUntil).toISOString(),
      idle_ms: found ? Math.round(found.signal.idle) : null,
      ...shownRules(rules),
    };
  },
  text(result) {
    const state = result.asleep === null ? '' : result.asleep === 'light' ? ', frozen' : ', stopped';
    return [
      header(`${result.app} web: ${result.instances}${state}`),
      result.why,
      ...(result.busy_until === null ? [] : columns([['it says that it is busy until', result.busy_until]])),
      ...(result.mean_in_flight === null
        ? []
        : columns([
            ['requests in flight, mean of 60 s', result.mean_in_flight.stable.toFixed(2)],
            ['requests in flight, mean of 6 s', result.mean_in_flight.panic.toFixed(2)],
            ['not used for', `${Math.round((result.idle_ms ?? 0) / 1000)} s`],
          ])),
    ];
  },
});

export const autoscaleCommands = [set, report, explain];

function usually(name: KnobName): string {
  return knobs[name].usual === '' ? ' (what ps:scale says unless set)' : ` (${knobs[name].usual} unless set)`;
}

/** An optional process type in front of the settings. Only web has requests to scale by. */
function typeAndWords(words: readonly string[]): { type: ProcessType; words: readonly string[] } {
  const [first = ''] = words;
  if (first.includes('=')) return { type: web, words };
  if (parseProcessType(first) === web && words.length > 1) return { type: web, words: words.slice(1) };
  throw new WherryError(
    'invalid',
    first === 'web'
      ? 'Nothing is set. Give settings as min=0 max=4.'
      : `${quoteForPeople(first)} cannot scale by itself: only web has requests to go by. Use ps:scale for it, or sleep:set follow-web=${first}.`,
  );
}

function shownRules(rules: ScalingRules): Record<KnobName, string> {
  return Object.fromEntries(knobNames.map(name => [name, shownKnob(rules, name)])) as Record<
    KnobName,
    string
  >;
}

function webCount(context: Context, owner: App): number {
  return context.deployer.counts(owner).get(web) ?? 0;
}

function wordsOf({ decision }: Explanation): string {
  if (decision.kind === 'sleep') return `It is about to sleep. ${decision.why}`;
  return decision.kind === 'resize' ? `It is about to have ${decision.count}. ${decision.why}` : decision.why;
}

function whyFixed(owner: App, rules: ScalingRules): string {
  if (owner.stopped) return `It is stopped. Start it with "ps:start ${owner.name}".`;
  return rules.automatic
    ? 'It has no web process to scale.'
    : `It does not scale by itself: ps:scale says how many. To change that: autoscale:set ${owner.name} min=0`;
}

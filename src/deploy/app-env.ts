import { randomBytes } from 'node:crypto';
import type { App } from '../domain/app.ts';
import type { EnvRule, EnvRules } from '../domain/app-manifest.ts';
import { WherryError } from '../domain/errors.ts';
import { parseConfigKey } from '../domain/names.ts';
import type { Progress } from '../domain/push.ts';
import type { Store } from '../store/store.ts';

/** Variables that app.json has given once: one that was unset since stays so. */
const givenKey = 'app-json-env';

/**
 * Gives an app the variables that its app.json wants: what is set already stays, unless app.json keeps it in step.
 * @returns the secrets that were made @throws failed when the first deploy lacks one that is required
 */
export function applyAppEnv(
  store: Store,
  app: App,
  { rules, progress }: { readonly rules: EnvRules; readonly progress: Progress },
): Readonly<Record<string, string>> {
  const scope = `app:${app.id}`;
  const given = store.properties.list(scope, givenKey);
  const config = store.config.merged(app);
  const secrets: Record<string, string> = {};
  const values: [string, string][] = [];
  for (const [key, rule] of Object.entries(rules)) {
    const value = wanted(rule, { now: config[key], given: given.includes(key) });
    if (value === undefined) continue;
    values.push([key, value]);
    if (rule.secret && rule.value === undefined) secrets[key] = value;
  }
  const missing = missingOf(rules, { ...config, ...Object.fromEntries(values) });
  if (missing.length > 0) {
    const words = `app.json requires ${missing.join(', ')}, and ${app.name} has no value for ${missing.length === 1 ? 'it' : 'them'}`;
    const hint = `config:set ${app.name} ${missing.map(key => `${key}=...`).join(' ')}`;
    if (!store.releases.live(app)) throw new WherryError('failed', `${words}.`, { hint });
    progress.warn(`${words}. Set it with "${hint}".`);
  }
  if (values.length === 0) return secrets;
  store.transaction(() => {
    store.config.set(app, new Map(values.map(([key, value]) => [parseConfigKey(key), value])));
    store.properties.setList(scope, givenKey, [...new Set([...given, ...values.map(([key]) => key)])]);
  });
  progress.step(`Setting ${values.map(([key]) => key).join(', ')} as app.json says`);
  return secrets;
}

/** What it is to be set to; undefined when it stays as it is. */
function wanted(
  { value, secret, sync }: EnvRule,
  { now, given }: { readonly now: string | undefined; readonly given: boolean },
): string | undefined {
  if (value !== undefined && sync) return now === value ? undefined : value;
  if (now !== undefined || given) return undefined;
  return value ?? (secret ? randomBytes(32).toString('hex') : undefined);
}

function missingOf(rules: EnvRules, config: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(rules).flatMap(([key, { required, value }]) =>
    required && value === undefined && config[key] === undefined ? [key] : [],
  );
}

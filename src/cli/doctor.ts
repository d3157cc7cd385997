// Loaded only when no daemon answers.
import { existsSync } from 'node:fs';
import { examine, findingLines, hasFailure, type Patient } from '../doctor/examine.ts';
import type { Host } from '../doctor/host.ts';
import { listenersOf } from '../doctor/listeners.ts';
import { WherryError } from '../domain/errors.ts';
import { readSettings } from '../settings.ts';
import { checkDatabase } from '../store/integrity.ts';
import { peek } from '../store/peek.ts';
import { createPaths } from '../system/paths.ts';

type Examined = { readonly text: string; readonly code: number };

/** `doctor [--format json] [--FLAG VALUE...]` with the flags of a daemon that is not there. @throws usage, invalid */
export async function doctorOffline(
  words: readonly string[],
  { data, env, host, now }: { data: string; env: NodeJS.ProcessEnv; host: Host; now: Date },
): Promise<Examined> {
  const { format, ...flags } = readWords(words);
  const settings = readSettings(new Map(Object.entries({ ...flags, data })), env);
  const { database } = createPaths({ data });
  const known = peek(database);
  const own = (known?.domains ?? []).filter(({ domain }) => !domain.endsWith(`.${settings.domain}`));
  const patient: Patient = {
    ...{
      data,
      cache: settings.cache,
      isRunning: false,
      isKnown: known !== undefined,
      listeners: listenersOf(settings),
      now,
    },
    domains: [{ domain: settings.domain, app: 'default' }, ...own],
    certificates: known?.certificates ?? [],
    database: existsSync(database) ? { damage: checkDatabase(database) } : undefined,
  };
  const findings = await examine(host, patient);
  const healthy = !hasFailure(findings);
  const lines = format === 'json' ? [JSON.stringify({ healthy, findings })] : findingLines(findings);
  return { text: `${lines.join('\n')}\n`, code: healthy ? 0 : 1 };
}

function readWords(words: readonly string[]): Record<string, string> {
  const left = words.filter(word => word !== 'doctor' && !/^(-q|--quiet|--force|--trace)$/.test(word));
  const flags: Record<string, string> = {};
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, name, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const value = inline ?? left.shift();
    if (name === undefined || value === undefined)
      throw new WherryError(
        'usage',
        'Write doctor, or doctor with flags of the daemon, as --http 0.0.0.0:8080.',
      );
    flags[name] = value;
  }
  return flags;
}

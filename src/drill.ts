import { readFlags } from './argv.ts';
import { ask } from './backup/ask.ts';
import { tame } from './backup/tame.ts';
import type { DrillLine } from './backup/verify.ts';
import { runDaemon } from './daemon.ts';
import { sentence } from './domain/errors.ts';
import { takeDown } from './down.ts';
import { readSettings, type Settings } from './settings.ts';
import { loadKey } from './store/key-file.ts';
import { createSeal } from './store/seal.ts';
import { openStore } from './store/store.ts';
import { exec } from './system/exec.ts';
import { createPaths } from './system/paths.ts';

/**
 * `wherry drill`, started by a daemon in a network namespace of its own, from which nothing is reached: starts what was restored
 * into a scratch data directory, one app after the other, asks each, and leaves nothing. A line of JSON an app.
 */
export async function runDrill(argv: readonly string[]): Promise<number> {
  process.umask(0o022);
  // Who asked may be gone: what was begun is cleaned up all the same.
  process.stdout.on('error', () => {});
  const settings = readSettings(readFlags(argv, 'drill'), process.env);
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leaving.abort());
  try {
    await hold(settings, leaving.signal);
    return 0;
  } catch (error) {
    say({ fault: error instanceof Error ? error.message : sentence(error) });
    return 1;
  }
}

async function hold(settings: Settings, signal: AbortSignal): Promise<void> {
  const paths = createPaths({ data: settings.data, cache: settings.cache });
  try {
    await exec('ip', ['link', 'set', 'lo', 'up'], { timeout: 10_000 });
    const store = openStore(paths.database, createSeal(loadKey(paths.secretKey, paths.database)));
    const apps = tame(store);
    store.close();
    const daemon = await runDaemon(settings, { isDrill: true });
    for (const app of apps) if (!signal.aborted) say(await drill(app, { socket: paths.apiSocket, settings }));
    await daemon.close();
  } finally {
    await takeDown({ data: settings.data, engine: settings.engine, purge: true });
  }
}

async function drill(
  { name, host }: { name: string; host: string | undefined },
  { socket, settings }: { socket: string; settings: Settings },
): Promise<DrillLine> {
  const command = (verb: string) =>
    ask({
      host: 'wherry',
      at: { socket },
      path: `/v1/ps/${verb}`,
      body: { app: name },
      timeout: settings.readyTimeout * 1000 + 60_000,
    });
  const started = await command('start');
  if (started?.status !== 200) return { app: name, status: null, why: reasonIn(started?.text) };
  const at = { address: '127.0.0.1', port: settings.http.port };
  const answer = host === undefined ? undefined : await ask({ host, at });
  await command('stop');
  return {
    app: name,
    status: answer?.status ?? null,
    ...(host !== undefined && !answer ? { why: 'It does not answer.' } : {}),
  };
}

function reasonIn(problem = ''): string {
  try {
    return String((JSON.parse(problem) as { detail?: unknown }).detail ?? problem);
  } catch {
    return problem || 'It does not start.';
  }
}

function say(line: DrillLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

import { readFlags } from './argv.ts';
import { runDaemon } from './daemon.ts';
import { takeDown } from './down.ts';
import { readSettings } from './settings.ts';
import { forbidCoreDumps } from './system/core-dumps.ts';
import { diskTrouble } from './system/disk-trouble.ts';

/** `wherry daemon`: in the foreground, `ready` on stdout when it takes pushes and requests, until SIGTERM or SIGINT. */
export async function serve(argv: readonly string[]): Promise<undefined> {
  // Folders of layers are read by the apps' users, whatever the shell that starts this was set to.
  process.umask(0o022);
  await forbidCoreDumps();
  const settings = readSettings(readFlags(argv, 'daemon'), process.env);
  const daemon = await runDaemon(settings).catch(error => {
    throw diskTrouble(error, [settings.data, settings.cache]) ?? error;
  });
  process.stdout.write('ready\n');
  let closing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      // What clients leave open must not keep the process; instances and edge go on without it.
      setTimeout(() => process.exit(0), 5000).unref();
      daemon.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  return undefined;
}

/** `wherry down [--purge]`. */
export async function down(argv: readonly string[]): Promise<number> {
  const flags = readFlags(argv, 'down', ['purge']);
  const purge = flags.delete('purge');
  const settings = readSettings(flags, process.env);
  await takeDown({ data: settings.data, engine: settings.engine, purge }).catch(error => {
    throw diskTrouble(error, [settings.data]) ?? error;
  });
  return 0;
}

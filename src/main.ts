import { sentence, WherryError } from './domain/errors.ts';

/** Process entry: control, edge, taking down, moving in, or the client. Each is loaded only when it is asked for. */
async function main(argv: readonly string[]): Promise<number | undefined> {
  switch (await processCommand(argv)) {
    case 'daemon':
      return (await import('./serve.ts')).serve(argv);
    case 'down':
      return (await import('./serve.ts')).down(argv);
    case 'edge':
      await (await import('./edge/main.ts')).runEdge(argv.slice(argv.indexOf('edge') + 1));
      return undefined;
    case 'import':
      return (await import('./moving/main.ts')).runImport(argv);
    case 'database':
      return (await import('./database.ts')).runDatabase(argv);
    case 'restore':
      return (await import('./restore.ts')).runRestore(argv);
    case 'drill':
      return (await import('./drill.ts')).runDrill(argv);
    default:
      return (await import('./cli/main.ts')).runCli(argv);
  }
}

/** The settings are read only when such a word is among the others: the client starts without them. */
async function processCommand(argv: readonly string[]) {
  const may = argv.some(word =>
    ['daemon', 'edge', 'down', 'import', 'database', 'restore', 'drill'].includes(word),
  );
  return may ? (await import('./argv.ts')).ownCommand(argv) : undefined;
}

main(process.argv.slice(2)).then(
  code => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(` !     ${sentence(error)}\n`);
    if (error instanceof WherryError && error.hint) process.stderr.write(` !     ${error.hint}\n`);
    if (!(error instanceof WherryError))
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = error instanceof WherryError ? error.exitCode : 1;
  },
);

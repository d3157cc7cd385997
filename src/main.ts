import { ownCommand } from './argv.ts';
import { sentence, WherryError } from './domain/errors.ts';

/** Process entry: control, edge, taking down, moving in, or the client. Each is loaded only when it is asked for. */
async function main(argv: readonly string[]): Promise<number | undefined> {
  switch (ownCommand(argv)) {
    case 'daemon':
      return (await import('./serve.ts')).serve(argv);
    case 'down':
      return (await import('./serve.ts')).down(argv);
    case 'edge':
      await (await import('./edge/main.ts')).runEdge(argv.slice(argv.indexOf('edge') + 1));
      return undefined;
    case 'import':
      return (await import('./moving/main.ts')).runImport(argv);
    default:
      return (await import('./cli/main.ts')).runCli(argv);
  }
}

main(process.argv.slice(2)).then(
  code => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(` !     ${sentence(error)}\n`);
    if (!(error instanceof WherryError))
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = error instanceof WherryError ? error.exitCode : 1;
  },
);

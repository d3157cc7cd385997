import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

/**
 * The layers of the design, as data: what each place may import of Wherry's own code, besides itself. A name is a folder or file
 * below src without its ending; `engine/engine` is the engine's port alone.
 */
const mayImport: Readonly<Record<string, readonly string[] | 'everything'>> = {
  main: [
    'argv',
    'serve',
    'restore',
    'drill',
    'daemon',
    'database',
    'edge/main',
    'moving/main',
    'cli',
    'domain',
  ],
  // The composition root and its parts.
  daemon: 'everything',
  serve: ['argv', 'daemon', 'down', 'settings', 'domain', 'system'],
  down: ['pid-file', 'edge-link', 'fast-path', 'engine', 'domain', 'system'],
  // What is left to do where no daemon can start.
  database: ['argv', 'pid-file', 'settings', 'store', 'domain', 'system'],
  argv: ['settings', 'domain'],
  'pid-file': ['domain', 'system'],
  // Which apps come back first.
  'boot-order': ['runtime'],
  // Joins the runtime's sink to the edge.
  'route-book': ['runtime', 'edge-link', 'store', 'domain', 'system'],
  // Joins the edge and the fast path before it.
  ingress: ['edge-link', 'fast-path', 'domain', 'system'],
  deploy: ['receive', 'build', 'release', 'runtime', 'hooks', 'store', 'domain', 'system', 'settings'],
  // Joins the autoscaler to the pipeline.
  fleet: ['deploy', 'runtime', 'scale', 'store', 'domain', 'system'],
  'hide-secrets': ['build', 'store'],
  networks: ['store', 'domain'],
  urls: ['store', 'domain'],
  // Joins the timetable of apps to the pipeline.
  'cron-workers': ['cron', 'deploy', 'runtime', 'store', 'domain', 'system'],
  cron: ['domain', 'system'],
  // What was restored is started beside the real one.
  drill: ['argv', 'backup', 'daemon', 'down', 'settings', 'store', 'domain', 'system'],
  // A backup into an empty data directory.
  restore: ['argv', 'backup', 'pid-file', 'settings', 'store', 'volumes', 'domain', 'system'],
  // The whole platform, elsewhere and back.
  backup: ['domain', 'system', 'store'],
  // Folders of apps, for the engine.
  volumes: ['engine/engine', 'store', 'domain', 'system'],
  settings: ['domain'],
  domain: [],
  system: ['domain'],
  store: ['domain', 'system'],
  engine: ['domain', 'system'],
  receive: ['domain', 'system', 'store'],
  build: ['domain', 'system', 'store', 'engine/engine'],
  release: ['domain', 'store', 'system/clock'],
  runtime: ['domain', 'system', 'store', 'engine/engine'],
  scale: ['domain'],
  // Apps that say that they are busy.
  lease: ['domain', 'system'],
  // Certificates by ACME.
  acme: ['domain', 'system', 'store'],
  edge: ['domain', 'system'],
  // The control process's side of the edge: snapshots out, wakes and counts in.
  'edge-link': ['domain', 'system'],
  // A proxy before the edge that takes plain requests straight to the apps.
  'fast-path': ['domain', 'system'],
  commands: [
    'doctor',
    'backup',
    'deploy',
    'settings',
    'receive',
    'build',
    'release',
    'runtime',
    'edge-link',
    'fast-path',
    'scale',
    'lease',
    'acme',
    'cron-workers',
    'plugin/host',
    'plugin/plugin',
    'networks',
    'volumes',
    'store',
    'domain',
    'system',
  ],
  ssh: ['commands', 'receive', 'domain', 'system'],
  api: ['commands', 'domain', 'system'],
  // Help and completion without a daemon know the plugins that come along, and what others wrote down.
  cli: [
    'commands',
    'plugin/built-in-commands',
    'plugin/help-file',
    'doctor',
    'settings',
    'store/integrity',
    'store/peek',
    'domain',
    'system',
  ],
  // What may be wrong with a host.
  doctor: ['settings', 'domain', 'system'],
  // Apps of other platforms, brought here by commands of ours.
  moving: ['cli', 'domain', 'system'],
  hooks: ['domain'],
  // Who takes part: their commands in the registry, their code, their programs.
  plugin: ['commands', 'hooks', 'store', 'domain', 'system'],
};

describe('the layers', () => {
  const files = sources(join(root, 'src'));

  it('has files to look at', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length);
  });

  it('knows every place in src', () => {
    const unknown = files.map(file => placeOf(file)).filter(place => mayImport[place] === undefined);
    expect([...new Set(unknown)], 'add a row to the table above, and to the design').toEqual([]);
  });

  it('are imported downwards only', () => {
    expect(files.flatMap(file => forbidden(file, importsOf(file)))).toEqual([]);
  });

  it('would be found broken by a stage that imports its sibling', () => {
    const file = join(root, 'src/build/planted.ts');
    const text = "import { a } from '../runtime/runtime.ts';\nimport type { B } from '../domain/app.ts';\n";
    expect(forbidden(file, importsIn(file, text))).toEqual(['build/planted.ts imports runtime/runtime']);
  });

  it('would be found broken by a stage that imports an engine driver, in any way of writing it', () => {
    const file = join(root, 'src/runtime/deep/planted.ts');
    const ways = [
      "export { a } from '../../engine/runc/index.ts';",
      "import {\n  a,\n  type B,\n} from '../../engine/runc/index.ts';",
      "const driver = await import('../../engine/runc/index.ts');",
      "import '../../engine/runc/index.ts';",
    ];
    for (const text of ways) {
      expect(forbidden(file, importsIn(file, text)), text).toEqual([
        'runtime/deep/planted.ts imports engine/runc/index',
      ]);
    }
    expect(forbidden(file, importsIn(file, "import type { Engine } from '../../engine/engine.ts';"))).toEqual(
      [],
    );
  });
});

describe('what is outside src', () => {
  it('is reached by first-party plugins through the plugin API alone', () => {
    const wrong = sources(join(root, 'plugins')).flatMap(file =>
      importsOf(file)
        .map(path => relative(root, path))
        .filter(path => path.startsWith('src/') && path !== 'src/plugin/api'),
    );
    expect(wrong).toEqual([]);
  });

  it('is not imported by src', () => {
    const wrong = sources(join(root, 'src')).flatMap(file =>
      importsOf(file)
        .map(path => relative(root, path))
        .filter(path => !path.startsWith('src/')),
    );
    expect(wrong).toEqual([]);
  });
});

/** Sentences for imports that the table does not allow. */
function forbidden(file: string, imports: readonly string[]): string[] {
  const place = placeOf(file);
  const allowed = mayImport[place] ?? [];
  if (allowed === 'everything') return [];
  return imports
    .map(path => relative(join(root, 'src'), path))
    .filter(path => ![place, ...allowed].some(name => path === name || path.startsWith(`${name}/`)))
    .map(path => `${relative(join(root, 'src'), file)} imports ${path}`);
}

/** First folder below src, or the file's own name in src itself. */
function placeOf(file: string): string {
  const [first = ''] = relative(join(root, 'src'), file).split('/');
  return first.replace(/\.ts$/, '');
}

const importsOf = (file: string) => importsIn(file, readFileSync(file, 'utf8'));

/** Relative imports of a file as absolute paths without ending. */
function importsIn(file: string, text: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.[^'"]*)\1/g;
  return [...text.matchAll(pattern)].map(match =>
    resolve(dirname(file), match[2] ?? '').replace(/\.ts$/, ''),
  );
}

function sources(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => join(dir, path));
}

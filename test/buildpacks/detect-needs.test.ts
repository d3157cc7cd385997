import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

const folder = new URL('../../buildpacks', import.meta.url).pathname;
const names = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory());

type Wherry = {
  readonly 'detect-needs': readonly string[];
  readonly 'detect-inputs': { readonly files?: readonly string[]; readonly exists?: readonly string[] };
};

it.each(names.map(({ name }) => name))(
  'detection by %s fails indeed where nothing is there of what it says it needs, but all else that it looks at',
  async name => {
    const dir = join(folder, name);
    const toml = parse(readFileSync(join(dir, 'buildpack.toml'), 'utf8'));
    const { wherry } = toml['metadata'] as unknown as { wherry: Wherry };
    const app = mkdtempSync(join(tmpdir(), 'wherry-needs-'));
    try {
      const { files = [], exists = [] } = wherry['detect-inputs'];
      for (const path of [...files, ...exists]) {
        if (wherry['detect-needs'].includes(path.split('/')[0] ?? '')) continue;
        mkdirSync(dirname(join(app, path)), { recursive: true });
        writeFileSync(join(app, path), '');
      }
      const env = {
        PATH: process.env['PATH'] ?? '',
        CNB_BUILDPACK_DIR: dir,
        CNB_BUILD_PLAN_PATH: join(app, '.plan'),
      };
      const { code } = await run(join(dir, 'bin/detect'), [], { cwd: app, env });
      expect(code).toBe(100);
    } finally {
      rmSync(app, { recursive: true, force: true });
    }
  },
);

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What Heroku's client prints, by its words without `--app APP`. */
export type HerokuAnswers = Readonly<Record<string, string>>;

export const herokuBlog: HerokuAnswers = {
  'config --json': JSON.stringify({
    DATABASE_URL: 'postgres://u:secret-1@db.example.com/blog',
    GREETING: 'grüß\n"me"',
    HEROKU_SLUG_COMMIT: '1234',
  }),
  'domains --json': JSON.stringify([
    { hostname: 'blog-123.herokuapp.com', kind: 'heroku', cname: null },
    { hostname: 'www.example.org', kind: 'custom', cname: 'x.herokudns.com' },
  ]),
  'ps:scale': 'web=2:Standard-2X worker=1:Basic\n',
  buildpacks:
    '=== blog Buildpack URLs\n\n1. heroku/nodejs\n2. https://github.com/heroku/heroku-buildpack-ruby\n',
  'apps:info --json': JSON.stringify({
    app: { stack: { name: 'heroku-24' }, maintenance: false },
    dynos: [],
  }),
  'addons --json': JSON.stringify([
    { addon_service: { name: 'heroku-postgresql' }, config_vars: ['DATABASE_URL'] },
    { addon_service: { name: 'scheduler' }, config_vars: [] },
  ]),
};

/** A folder for the PATH with a `heroku` that gives these answers for one app, and fails as the real one does for another. */
export function makeHeroku(app: string, answers: HerokuAnswers): string {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-heroku-'));
  const program = `#!/usr/bin/env node
const words = process.argv.slice(2);
const [flag, app] = words.splice(-2);
const answer = ${JSON.stringify(answers)}[words.join(' ')];
if (flag !== '--app' || app !== ${JSON.stringify(app)} || answer === undefined) {
  process.stderr.write(" \\u203a   Error: Couldn't find that app.\\n");
  process.exit(1);
}
process.stdout.write(answer);
`;
  writeFileSync(join(folder, 'heroku'), program, { mode: 0o755 });
  return folder;
}

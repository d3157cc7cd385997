import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Here } from '../../src/moving/here.ts';
import { planHeroku } from '../../src/moving/heroku/apps.ts';
import { shownStep } from '../../src/moving/report.ts';
import { type HerokuAnswers, herokuBlog } from '../support/heroku.ts';

const here: Here = { has: () => false, mounts: async () => [], networks: async () => [] };

const planOf = async (changed: HerokuAnswers = {}, source?: string) => {
  const answers: HerokuAnswers = { ...herokuBlog, ...changed };
  const cli = async (words: readonly string[]) => {
    const said = answers[words.slice(0, -2).join(' ')];
    if (said === undefined) throw new WherryError('failed', `nobody asks ${words.join(' ')}`);
    return said;
  };
  const { apps } = await planHeroku(cli, { apps: [parseAppName('blog')], source, here });
  return apps[0] as (typeof apps)[number];
};

describe('an app at Heroku', () => {
  it('gives commands of Wherry, and shows no value of its config', async () => {
    const { steps, later, left } = await planOf();
    expect(steps.map(shownStep)).toEqual([
      'wherry apps:create blog',
      'wherry config:import --no-restart --format json blog - # 2 variables: DATABASE_URL, GREETING',
      'wherry domains:add blog www.example.org',
      'wherry resource:limit --memory 1g --process-type web blog',
      'wherry ps:scale blog web=2 worker=1',
      'wherry buildpacks:set --replace blog heroku/nodejs https://github.com/heroku/heroku-buildpack-ruby',
    ]);
    expect(JSON.parse(steps[1]?.stdin ?? '')).toMatchObject({ GREETING: 'grüß\n"me"' });
    expect(JSON.stringify([steps.map(({ words }) => words), later, left])).not.toContain('secret-1');
    expect(left).toEqual([
      expect.stringMatching(/"heroku-postgresql" does not come\. .*DATABASE_URL\..*pg:backups/),
      expect.stringMatching(/"scheduler" does not come\. .*cron of app\.json/),
    ]);
    expect(later).toEqual([
      expect.stringContaining('letsencrypt:enable blog'),
      expect.stringContaining('heroku git:clone --app blog'),
    ]);
  });

  it('that was never deployed and has nothing gives what there is', async () => {
    const { steps } = await planOf({
      'config --json': '{}\n',
      'domains --json': '[]\n',
      'ps:scale': 'No process types on blog.\n',
      buildpacks: 'blog has no Buildpack URL set.\n',
      'addons --json': '[]\n',
    });
    expect(steps.map(({ words }) => words)).toEqual([['apps:create', 'blog']]);
  });

  it('in maintenance, of a stack of containers, is told', async () => {
    const info = JSON.stringify({ app: { stack: { name: 'container' }, maintenance: true } });
    const { steps, left } = await planOf({ 'apps:info --json': info });
    expect(steps.map(({ words }) => words)).toContainEqual(['maintenance:enable', 'blog']);
    expect(left).toContainEqual(expect.stringContaining('heroku.yml'));
  });

  it.each([
    ['config --json', '{"A":"secret-1'],
    ['config --json', '{"A":{"b":"secret-1"}}'],
    ['domains --json', '[{"kind":"custom"}]'],
    ['domains --json', '[1]'],
    ['ps:scale', 'web=-1:Basic'],
    ['apps:info --json', '{"app":null}'],
    ['addons --json', '[{"addon_service":null}]'],
    ['buildpacks', '\u001b[2J'],
  ])(
    'that says of %s what Heroku does not say is refused, and nothing of it is shown',
    async (words, out) => {
      const refused = planOf({ [words]: out });
      await expect(refused).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('eroku'),
      });
      await expect(refused).rejects.not.toThrow(/secret-1|\u001b/);
    },
  );

  it('gives odd names and sizes, which do not get into commands', async () => {
    const { steps, left } = await planOf({
      'domains --json': JSON.stringify([{ hostname: '--force $(id)', kind: 'custom' }]),
      'ps:scale': 'web=1:Huge w_.=1:Basic',
      buildpacks: '--all\n',
    });
    expect(steps.map(({ words }) => words[0])).toEqual(['apps:create', 'config:import', 'ps:scale']);
    expect(left.length).toBeGreaterThanOrEqual(4);
  });
});

describe('the repository of an app at Heroku', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is read for what a push does not bring', async () => {
    writeFileSync(join(folder, 'app.json'), '{"addons":["heroku-redis"],"environments":{},"env":{}}');
    writeFileSync(join(folder, 'heroku.yml'), 'build: {}\n');
    const { left, later } = await planOf({}, folder);
    expect(left).toEqual(
      expect.arrayContaining([
        expect.stringContaining('"addons" of app.json'),
        expect.stringContaining('"environments" of app.json'),
        expect.stringContaining('heroku.yml'),
      ]),
    );
    expect(later).toContainEqual(expect.stringContaining('no Procfile'));
  });

  it('is refused when it is none, or its app.json is not JSON', async () => {
    await expect(planOf({}, folder)).rejects.toMatchObject({ code: 'not-found' });
    writeFileSync(join(folder, 'app.json'), '{');
    await expect(planOf({}, folder)).rejects.toMatchObject({ code: 'invalid' });
  });
});

import { describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { planDokku } from '../../src/moving/dokku/apps.ts';
import { DokkuHost } from '../../src/moving/dokku/host.ts';
import type { Here } from '../../src/moving/here.ts';
import { shownStep } from '../../src/moving/report.ts';
import { answersOf, type DokkuAnswers, type DokkuApp, type DokkuState } from './dokku-answers.ts';

const nothing: Here = { has: () => false, mounts: async () => [], networks: async () => [] };

const blog: DokkuApp = {
  config: {
    SECRET: 'do not show\n"me"',
    GREETING: 'grüß',
    GIT_REV: '1234',
    DOKKU_APP_RESTORE: '1',
    DATABASE_URL: 'postgres://blog:pw@dokku-postgres-blog-db:5432/blog',
  },
  scale: { web: 2, worker: 1 },
  storage: ['/var/lib/dokku/data/storage/blog:/data:ro', '/srv/shared:/shared'],
  reports: {
    domains: { 'app-enabled': 'true', 'app-vhosts': 'blog.old.example.org www.example.org' },
    ports: { map: 'http:80:3000 https:443:3000' },
    certs: { enabled: 'true' },
    ps: {
      'restart-policy': 'on-failure:20',
      'stop-timeout-seconds': '60',
      'procfile-path': 'Procfile',
      running: 'true',
      deployed: 'true',
    },
    resource: { '_default_.limit.memory': '512', 'worker.limit.cpu': '1.5', 'web.reserve.memory': '128' },
    git: {
      'deploy-branch': 'main',
      'keep-git-dir': 'true',
      'rev-env-var': 'COMMIT',
      'global-rev-env-var': 'GIT_REV',
    },
    apps: { locked: 'false', 'deploy-source': 'git' },
  },
  says: {
    'certs:show crt': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
    'certs:show key': '-----BEGIN PRIVATE KEY-----\nBB\n-----END PRIVATE KEY-----\n',
    'letsencrypt:active': 'true\n',
  },
};

const plan = async (answers: DokkuAnswers, apps: readonly string[] = [], here = nothing) => {
  const host = new DokkuHost('dokku@old.example.org', async words => {
    const said = answers(words);
    if (said === 'hang') throw new Error('nobody waits here');
    return { code: said.code ?? 0, out: said.out ?? '', err: said.err ?? '' };
  });
  return await planDokku(host, apps.map(parseAppName), here);
};
const planOf = async (app: DokkuApp, state: Partial<DokkuState> = {}) => {
  const { apps } = await plan(answersOf({ form: 'new', apps: { blog: app }, ...state }), ['blog']);
  return apps[0] as (typeof apps)[number];
};

describe('a dokku host', () => {
  it.each(['new', 'old'] as const)('in its %s form gives the same commands', async form => {
    const moves = await planOf(blog, { form });
    expect(moves.steps.map(shownStep)).toEqual([
      'wherry apps:create blog',
      'wherry config:import --no-restart --format json blog - # 3 variables: DATABASE_URL, GREETING, SECRET',
      'wherry domains:add blog blog.old.example.org www.example.org',
      'wherry ports:set blog http:80:3000 https:443:3000',
      'wherry certs:add blog # its certificate and key',
      'wherry storage:ensure-directory blog',
      'wherry storage:mount blog blog:/data:ro',
      'wherry resource:limit --memory 512 --process-type _default_ blog',
      'wherry resource:limit --cpu 1.5 --process-type worker blog',
      'wherry resource:reserve --memory 128 --process-type web blog',
      'wherry ps:set blog restart-policy on-failure:20',
      'wherry ps:set blog stop-timeout-seconds 60',
      'wherry ps:scale blog web=2 worker=1',
      'wherry git:set blog deploy-branch main',
      'wherry git:set blog keep-git-dir true',
      'wherry git:set blog rev-env-var COMMIT',
    ]);
    expect(moves.later).toEqual([
      expect.stringContaining('letsencrypt:enable blog'),
      expect.stringContaining('git clone dokku@old.example.org:blog'),
      expect.stringContaining('git:sync --build blog ssh://dokku@old.example.org/blog'),
    ]);
    expect(moves.left).toEqual([
      expect.stringContaining('DATABASE_URL leads to the postgres service blog-db'),
      expect.stringContaining('Files in its storage blog do not come'),
      expect.stringContaining('Folder "/srv/shared"'),
    ]);
  });

  it('gives values byte for byte on standard input, and shows none', async () => {
    const { steps, later, left } = await planOf(blog);
    const config = steps.find(({ words }) => words[0] === 'config:import');
    expect(JSON.parse(config?.stdin ?? '')).toMatchObject({ SECRET: 'do not show\n"me"', GREETING: 'grüß' });
    const seen = JSON.stringify([steps.map(shownStep), steps.map(({ words }) => words), later, left]);
    for (const secret of ['do not show', 'blog:pw', 'BB']) expect(seen).not.toContain(secret);
  });

  it('of an old version has its ports in the report of the proxy', async () => {
    const { steps } = await planOf({ reports: { proxy: { 'port-map': 'http:80:8080' } } }, { form: 'old' });
    expect(steps.map(({ words }) => words)).toContainEqual(['ports:set', 'blog', 'http:80:8080']);
  });

  it('without plugins, certificates and settings gives what there is', async () => {
    const { steps, left } = await planOf({});
    expect(steps.map(({ words }) => words)).toEqual([
      ['apps:create', 'blog'],
      ['ps:scale', 'blog', 'web=1'],
    ]);
    expect(left).toEqual([]);
  });

  it('gives what all apps have when all of them come', async () => {
    const answers = answersOf({ form: 'new', global: { TZ: 'UTC' }, apps: { blog: {}, shop: {} } });
    const all = await plan(answers);
    expect(all.apps.map(({ app }) => app)).toEqual(['blog', 'shop']);
    expect(all.host.steps.map(({ words }) => words)).toEqual([
      ['config:import', '--no-restart', '--format', 'json', '--global', '-'],
    ]);
    expect((await plan(answers, ['shop'])).host.steps).toEqual([]);
  });

  it('gives how an app is built, and what visitors see', async () => {
    const { steps, left } = await planOf({
      reports: {
        builder: { selected: 'herokuish', 'build-dir': 'apps/web' },
        'builder-dockerfile': { 'dockerfile-path': 'docker/Dockerfile' },
        buildpacks: {
          list: 'https://github.com/heroku/heroku-buildpack-nodejs.git,heroku/procfile',
          stack: '',
        },
        'docker-options': {
          build: '',
          deploy: "--restart=on-failure:10 -v /a:/b --cap-add 'X=secret-1'",
          run: '',
        },
        nginx: {
          'client-max-body-size': '50m',
          'proxy-read-timeout': '',
          'global-hsts': 'true',
          'proxy-buffers': '8',
        },
        'http-auth': { enabled: 'true', users: 'ann bob', 'allowed-ips': '192.0.2.7' },
        maintenance: { enabled: 'true' },
        letsencrypt: { email: 'ann@example.org' },
      },
      says: { redirect: 'SOURCE DESTINATION CODE\nold.example.org www.example.org 302\n' },
    });
    expect(steps.map(({ words }) => words.join(' '))).toEqual([
      'apps:create blog',
      'letsencrypt:set blog email ann@example.org',
      'proxy:set blog body-limit=50m',
      'http-auth:enable blog',
      'http-auth:add-allowed-ip blog 192.0.2.7',
      'redirect:set blog old.example.org www.example.org 302',
      'maintenance:enable blog',
      'ps:scale blog web=1',
      'builder:set blog selected herokuish',
      'builder:set blog build-dir apps/web',
      'builder-dockerfile:set blog dockerfile-path docker/Dockerfile',
      'buildpacks:set --replace blog https://github.com/heroku/heroku-buildpack-nodejs.git heroku/procfile',
    ]);
    expect(left).toEqual([
      'nginx:set proxy-buffers "8" has no meaning here.',
      expect.stringContaining('Passwords of visitors ("ann", "bob")'),
      expect.stringContaining('Docker option "--cap-add"'),
    ]);
    expect(left.join()).not.toContain('secret-1');
  });

  it('gives checks, and networks that several apps share once', async () => {
    const app: DokkuApp = {
      reports: {
        network: { 'attach-post-deploy': 'backend', 'attach-post-create': '', tld: 'internal' },
        checks: {
          'disabled-list': 'worker,clock',
          'skipped-list': '_all_',
          'wait-to-retire': '30',
          attempts: '',
        },
        'app-json': { 'appjson-path': 'deploy/app.json' },
      },
    };
    const { apps } = await plan(answersOf({ form: 'new', apps: { blog: app, shop: app } }), ['blog', 'shop']);
    const words = apps.map(({ steps }) => steps.map(step => step.words.join(' ')));
    expect(words[0]).toEqual([
      'apps:create blog',
      'checks:set blog wait-to-retire 30',
      'checks:disable blog worker,clock',
      'checks:skip blog',
      'network:create backend',
      'network:set blog attach-post-deploy backend',
      'network:set blog tld internal',
      'ps:scale blog web=1',
      'app-json:set blog appjson-path deploy/app.json',
    ]);
    expect(words[1]).not.toContain('network:create backend');
    expect(words[1]).toContain('network:set shop attach-post-deploy backend');
  });

  it.each([
    [
      'one by one',
      { 'docker-options:list build': "--build-arg A=secret-1\n--build-arg 'B=c d'\n--target web\n" },
    ],
    ['in one line', {}],
  ])('gives docker options %s, and shows no values of arguments', async (_how, says) => {
    const build = "--build-arg A=secret-1 --build-arg 'B=c d' --target web";
    const { steps } = await planOf({ reports: { 'docker-options': { build, deploy: '', run: '' } }, says });
    const options = steps.filter(({ words }) => words[0] === 'docker-options:add');
    expect(options.map(({ words }) => words[3])).toEqual([
      '--build-arg A=secret-1',
      "--build-arg 'B=c d'",
      '--target web',
    ]);
    expect(options.map(shownStep)).toEqual([
      "wherry docker-options:add blog build '--build-arg A=...'",
      "wherry docker-options:add blog build '--build-arg B=...'",
      "wherry docker-options:add blog build '--target web'",
    ]);
  });

  it('tells of services, tasks, plugins and settings that cannot come', async () => {
    const app: DokkuApp = {
      reports: {
        scheduler: { 'computed-selected': 'k3s' },
        proxy: { enabled: 'false' },
        network: { 'static-web-listener': '192.0.2.1:80' },
      },
      says: {
        'cron:list': '[{"id":"a","maintenance":false},{"id":"b","maintenance":true}]\n',
        'postgres:app-links': 'blog-db\n',
      },
    };
    const plugins = [
      '  00_dokku-standard    0.38.27 enabled    dokku core standard plugin',
      '  acl                  1.5.0 enabled    dokku plugin for access',
      '  postgres             1.42.0 enabled    dokku postgres service plugin',
      '  redis                1.42.0 disabled    dokku redis service plugin',
    ];
    const said = await plan(
      answersOf({ form: 'new', apps: { blog: app }, says: { 'plugin:list': `${plugins.join('\n')}\n` } }),
    );
    expect(said.host.left).toEqual([
      'Nothing is brought of these plugins: acl.',
      expect.stringContaining('ssh-keys:add'),
    ]);
    expect(said.apps[0]?.left).toEqual([
      'Its postgres service blog-db does not come. Get its data: ssh dokku@old.example.org postgres:export blog-db > blog-db.dump',
      expect.stringContaining('Scheduler "k3s"'),
      expect.stringContaining('domains:disable blog'),
      expect.stringContaining('"192.0.2.1:80"'),
    ]);
    expect(said.apps[0]?.later).toEqual(
      expect.arrayContaining([
        expect.stringContaining('2 tasks of app.json'),
        expect.stringContaining('1 of them are suspended'),
      ]),
    );
  });

  it('is asked again without making what is here already', async () => {
    const here = { has: () => true, mounts: async () => ['blog:/data'], networks: async () => ['backend'] };
    const { apps } = await plan(answersOf({ form: 'new', apps: { blog } }), ['blog'], here);
    const commands = apps[0]?.steps.map(({ words }) => words[0]);
    expect(commands).not.toContain('apps:create');
    expect(commands).not.toContain('storage:mount');
    expect(commands).toContain('storage:ensure-directory');
  });

  it('has no app of that name: 20', async () => {
    await expect(plan(answersOf({ form: 'new', apps: {} }), ['shop'])).rejects.toMatchObject({
      code: 'app-not-found',
      message: 'App shop does not exist on dokku@old.example.org.',
    });
  });
});

describe('a hostile dokku host', () => {
  const lying = (lies: Readonly<Record<string, string>>): DokkuAnswers => {
    const honest = answersOf({ form: 'new', apps: { blog } });
    return words =>
      words[0] !== undefined && words[0] in lies ? { out: lies[words[0]] ?? '' } : honest(words);
  };

  it.each([
    ['escapes', 'domains:report', '=====> blog domains information\n       Domains app vhosts: \u001b[2Jx\n'],
    ['half an object', 'config:export', '{"A":"secret-1'],
    ['a list for an object', 'config:export', '["secret-1"]'],
    ['numbers for texts', 'config:export', '{"A":{"b":1}}'],
    ['half a line', 'git:report', '=====> blog git information\n       Git deploy bra'],
    ['no report at all', 'ps:report', 'welcome\n'],
    ['an odd scale', 'ps:scale', 'web:  -1\n'],
    ['a cut key', 'certs:show', '-----BEGIN PRIVATE KEY-----\nBB'],
  ])('that says %s is refused with a sentence that shows nothing of it', async (_what, command, out) => {
    const refused = plan(lying({ [command]: out }), ['blog']);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(command),
    });
    await expect(refused).rejects.not.toThrow(/secret-1|\u001b/);
  });

  it.each([
    ['domains', { domains: { 'app-vhosts': '--force $(id) a..b www.example.org', 'app-enabled': 'true' } }],
    ['ports', { ports: { map: 'http:80:99999 udp:53:53 --all' } }],
    ['branches', { git: { 'deploy-branch': '--upload-pack=id' } }],
    ['limits', { resource: { '--all.limit.memory': '1g', 'web.limit.cpu': '1;id' } }],
    ['checks', { checks: { 'disabled-list': '--force,$(id)', attempts: '-1' } }],
    ['networks', { network: { 'attach-post-create': 'host --all $(id)', tld: '-x' } }],
    ['buildpacks', { buildpacks: { list: '/etc,--all,from=x' } }],
    ['settings of nginx', { nginx: { 'client-max-body-size': '$(id)', '--all': 'x' } }],
    ['addresses', { 'http-auth': { enabled: 'true', users: '', 'allowed-ips': '--force $(id)' } }],
    ['folders', { builder: { 'build-dir': '../..', selected: '--force' } }],
    ['paths', { ps: { 'procfile-path': '../../etc/passwd;id' } }],
  ])('gives odd %s, which do not get into commands', async (_what, reports) => {
    const { steps, left } = await planOf({ reports });
    const words = steps.flatMap(step => step.words);
    expect(words.filter(word => /[;$()]|^--(force|all|upload)|99999|udp|\.\./.test(word))).toEqual([]);
    expect(left.length).toBeGreaterThan(0);
  });

  it('names apps that cannot be apps here, which are told and left', async () => {
    const { apps, host } = await plan(answersOf({ form: 'new', apps: { my_app: {}, '../x': {}, ok: {} } }));
    expect(apps.map(({ app }) => app)).toEqual(['ok']);
    expect(host.left.slice(0, 2)).toEqual([
      expect.stringContaining('"my_app"'),
      expect.stringContaining('"../x"'),
    ]);
  });
});

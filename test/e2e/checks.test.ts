import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import type { Run } from '../support/run.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const server = `
import { createServer } from 'node:http';
let sick = false;
console.log('listening soon');
createServer((request, response) => {
  if (request.url === '/break') sick = true;
  if (request.url === '/mend') sick = false;
  if (request.url === '/slow') return void setTimeout(() => response.end('slow but here'), 3000);
  if (request.url === '/live') return response.writeHead(sick ? 500 : 200).end(sick ? 'stuck' : 'fine');
  response.end('token of ' + process.env.TOKEN.length);
}).listen(process.env.PORT);
`;
const live = { type: 'liveness', name: 'live', path: '/live', wait: 1, attempts: 2 };
const manifest = {
  env: { TOKEN: { generator: 'secret' } },
  healthchecks: {
    web: [live, { path: '/live', content: 'fine', httpHeaders: [{ name: 'X-Check', value: 'yes' }] }],
  },
  scripts: {
    dokku: {
      predeploy:
        'mkdir made && echo assets > made/list && rm Procfile; echo predeploy sees $(node -p "process.env.TOKEN.length")',
    },
  },
};

describe('an app with an app.json', () => {
  let wherry: Wherry;
  let repository: Repository;
  let first: Run;
  beforeAll(async () => {
    wherry = await startWherry();
    repository = await wherry.repository('checked', {
      from: probe,
      files: { 'server.js': server, 'app.json': JSON.stringify(manifest) },
    });
    first = await repository.push();
    expect(first.code, first.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  /** Pushes another app.json, and holds that the old release still serves. */
  const refused = async (change: object): Promise<string> => {
    const before = (await repository.git('rev-parse', 'HEAD')).stdout.trim();
    repository.write({ 'app.json': JSON.stringify({ ...manifest, ...change }) });
    await repository.commit('Break it');
    const pushed = await repository.push();
    await repository.git('reset', '--quiet', '--hard', before);
    expect(pushed.code, pushed.output).not.toBe(0);
    expect((await wherry.get('checked')).text).toBe('token of 64');
    return pushed.output;
  };
  const report = async (key: string) => (await wherry.ssh('ps:report', 'checked', `--${key}`)).stdout.trim();

  it('gets the secret that it wants, also in its predeploy, and passes its checks', async () => {
    expect((await wherry.get('checked')).text).toBe('token of 64');
    expect(first.output).toContain('predeploy sees 64');
    const files = await wherry.ssh('enter', 'checked', 'web', '"cat made/list && ls"');
    expect(files.stdout).toMatch(/^assets$/m);
    expect(files.stdout).toContain('server.js');
    expect(files.stdout).not.toContain('Procfile');
    const checks = await wherry.ssh('checks:run', 'checked');
    expect(checks.code, checks.output).toBe(0);
    expect(checks.stdout).toContain('web.1 liveness "live" passed');
  });

  it('is refused when a startup check fails, with the last answer and the last words of the app', async () => {
    const check = { path: '/', content: 'no such text', wait: 1, attempts: 2 };
    const output = await refused({ healthchecks: { web: [check] } });
    expect(output).toContain('its health check / answers 200 without "no such text": "token of 64"');
    expect(output).toContain('listening soon');
  });

  it('is refused when its predeploy fails', async () => {
    const output = await refused({ scripts: { dokku: { predeploy: 'echo no assets; exit 7' } } });
    expect(output).toContain('no assets');
    expect(output).toContain(
      'Execution of script dokku.predeploy of app.json failed: it exited with status 7',
    );
  });

  it('is restarted when it fails its liveness check, after the requests that it has', async () => {
    expect(await report('restarts-web-1')).toBe('0');
    const slow = wherry.get('checked', '/slow');
    await wherry.get('checked', '/break');
    expect(await slow).toMatchObject({ status: 200, text: 'slow but here' });
    await until('its restart', async () => (await report('restarts-web-1')) === '1');
    await until('the app', async () => (await wherry.get('checked', '/live')).status === 200);
    const { stdout } = await wherry.ssh('events', 'checked');
    expect(stdout).toMatch(/web.1 failed its liveness check "live" 2 times: .* answers 500: "stuck"/);
  });

  it('gets no requests where it fails its readiness check, while another instance is ready, until it passes', async () => {
    const ready = { type: 'readiness', name: 'ready', path: '/live', wait: 1, attempts: 1 };
    repository.write({ 'app.json': JSON.stringify({ ...manifest, healthchecks: { web: [ready] } }) });
    await repository.commit('Ask whether it is ready');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.ssh('ps:scale', 'checked', 'web=2')).code).toBe(0);
    await wherry.get('checked', '/break');
    const said = async () => (await wherry.ssh('events', 'checked')).stdout;
    await until('it to be taken out', async () =>
      /web\.\d gets no requests until it is ready/.test(await said()),
    );
    const answers = await Promise.all(Array.from({ length: 12 }, () => wherry.get('checked', '/live')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    const sick = /(web\.\d) gets no requests/.exec(await said())?.[1] ?? '';
    const mend = `node -e "fetch('http://127.0.0.1:' + process.env.PORT + '/mend')"`;
    expect((await wherry.cli('enter', 'checked', sick, 'sh', '-c', mend)).code).toBe(0);
    await until('its return', async () => (await said()).includes(`${sick} gets requests again`));
    expect(await report('restarts-web-1')).toBe('0');
  });

  it('is replaced with its checks left out where they are disabled', async () => {
    expect((await wherry.ssh('checks:disable', 'checked', 'web')).code).toBe(0);
    const check = { path: '/', content: 'no such text', wait: 1, attempts: 1 };
    repository.write({ 'app.json': JSON.stringify({ ...manifest, healthchecks: { web: [check] } }) });
    await repository.commit('A check that nothing passes');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect(pushed.output).toContain('Checks are left out (web.1)');
    await until('the app', async () => (await wherry.get('checked')).text === 'token of 64');
    expect((await wherry.ssh('checks:enable', 'checked', 'web')).code).toBe(0);
    const refusedAgain = await wherry.ssh('ps:restart', 'checked');
    expect(refusedAgain.output).toContain('no such text');
    expect(refusedAgain.code).not.toBe(0);
    expect((await wherry.get('checked')).text).toBe('token of 64');
  });
});

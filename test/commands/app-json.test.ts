import { beforeEach, expect, it } from 'vitest';
import { requestFor } from '../../src/deploy/build-request.ts';
import type { AppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});
const report = async () =>
  JSON.parse((await bench.run('app-json:report', 'blog', '--format', 'json')).stdout);
const asked = () => {
  const source = { commit: 'a'.repeat(40), subject: '', dir: '/nowhere', checkoutMs: 0 };
  const progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
  const app = bench.store.apps.get('blog' as AppName);
  const how = { fresh: false, explain: false };
  return requestFor(bench.store, { app, source, how }, { actor: { name: 'ann', via: 'ssh' }, progress });
};

it('says where the app.json is, for the next build: of the app, else of all', async () => {
  expect(asked().appJsonPath).toBeUndefined();
  await bench.run('app-json:set', '--global', 'appjson-path', 'all.json');
  const { stdout, stderr, code } = await bench.run(
    'app-json:set',
    'blog',
    'appjson-path',
    './deploy/app.json',
  );
  expect(code).toBe(0);
  expect(stdout + stderr).toContain('Setting appjson-path to deploy/app.json');
  expect(asked().appJsonPath).toBe('deploy/app.json');
  expect(await report()).toMatchObject({
    'appjson-path': 'deploy/app.json',
    'global-appjson-path': 'all.json',
    'computed-appjson-path': 'deploy/app.json',
  });
  await bench.run('app-json:set', 'blog', 'appjson-path');
  expect(asked().appJsonPath).toBe('all.json');
  expect((await bench.run('app-json:report', 'blog', '--app-json-computed-appjson-path')).stdout).toBe(
    'all.json\n',
  );
});

it.each(['../app.json', '/etc/passwd', 'a//b', '.git/config'])('refuses %s', async path => {
  const { code, stderr } = await bench.run('app-json:set', 'blog', 'appjson-path', path);
  expect(code).toBe(1);
  expect(stderr).toContain('is not a file inside the repository');
  expect(asked().appJsonPath).toBeUndefined();
});
